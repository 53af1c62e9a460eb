"""What the tests of the live run share."""

from tests.live import machine, start

__all__ = ["machine", "start"]
