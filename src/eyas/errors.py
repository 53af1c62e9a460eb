"""What can go wrong, by how it is handled.

EyasError
├── UsageError      exit 2: a wrong option, configuration or rule file
└── RunError        exit 3: a file, kernel or receiver failed while running
    └── PassingError   the same, but it passes by itself: wait and try again
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


class PassingError(RunError):
    """A failure that passes by itself: busy, limited, unreachable. `after` is the wait that the other side asks for."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
