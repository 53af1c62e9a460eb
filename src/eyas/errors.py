"""What can go wrong, by how it is handled.

EyasError
├── UsageError      exit 2: a wrong option, configuration or rule file
└── RunError        exit 3: a file, kernel or receiver failed while running
"""

OK, FINDINGS, USAGE, FAILURE = 0, 1, 2, 3


class EyasError(Exception):
    """A failure with words for a person. `hint` says what to do about it."""

    code = FAILURE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(EyasError):
    """The command, configuration or rules are wrong."""

    code = USAGE


class RunError(EyasError):
    """Something failed while running."""

    code = FAILURE
