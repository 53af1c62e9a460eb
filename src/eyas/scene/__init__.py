"""Short descriptions of what happened, as captures: for tests in rule files, for specs and for the demo."""

from eyas.scene.film import film, perform
from eyas.scene.script import Line, SceneError, read
from eyas.scene.trial import Verdict, alerts, judge

__all__ = ["Line", "SceneError", "Verdict", "alerts", "film", "judge", "perform", "read"]
