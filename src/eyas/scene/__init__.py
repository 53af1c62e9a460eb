"""Short descriptions of what happened, as captures: for tests in rule files, for specs and for the demo."""

from eyas.scene.film import film, perform
from eyas.scene.script import Line, SceneError, read
from eyas.scene.trial import UNPLAYABLE, Nearest, Verdict, alerts, judge, nearest, records

__all__ = [
    "UNPLAYABLE",
    "Line",
    "Nearest",
    "SceneError",
    "Verdict",
    "alerts",
    "film",
    "judge",
    "nearest",
    "perform",
    "read",
    "records",
]
