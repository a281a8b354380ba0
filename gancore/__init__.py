"""The thin module that the notebooks of the study share: it trains, measures, stores and draws."""

from gancore.errors import StudyError

__all__ = ["StudyError"]
__version__ = "0.1.0"
