"""The one form of rule files: same meaning, same comments, always the same layout."""

from eyas.rules.formatting.file import FormatError, formatted

__all__ = ["FormatError", "formatted"]
