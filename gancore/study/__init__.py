"""What a notebook calls: its parameters and runs, the store of results, figures, verdicts and where they come from.

`study.Study` is one execution of a notebook, and the rest of the folder is what it is made of.
"""
