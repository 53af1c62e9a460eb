"""This machine through the pipeline: events as they happen, alerts at once, until somebody says stop."""

from eyas.watch.live import Force, Recording, Told, Watch, described, needed
from eyas.watch.wakes import Wake, Wakes

__all__ = ["Force", "Recording", "Told", "Wake", "Wakes", "Watch", "described", "needed"]
