"""The one exception that a user is meant to read."""


class StudyError(Exception):
    """A sentence that names the bad value, what is allowed and, where it helps, the command to run.

    IPython and papermill print only the sentence, not the call stack behind it.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"StudyError: {self}"]
