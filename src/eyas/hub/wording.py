"""What one receiver is told of an alert. A template that fails costs its words, never the alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from eyas.alert import Alert
from eyas.errors import UsageError
from eyas.hub import routing, template
from eyas.hub.enrich import enriched
from eyas.hub.settings import Route
from eyas.outputs.settings import Shared

log = structlog.get_logger("eyas.outputs")


@dataclass(slots=True)
class Wording:
    """Words alerts for one receiver; counts those whose template failed, and says the first, tenth, hundredth."""

    name: str
    shared: Shared
    routes: Sequence[Route] = ()
    failures: int = 0
    _say: int = 1

    def of(self, alert: Alert) -> Alert:
        """The alert as this receiver is told it."""
        return enriched(self._applied(alert), self.shared)

    def _applied(self, alert: Alert) -> Alert:
        try:
            return template.applied(routing.text_of(self.name, self.routes, alert), alert)
        except UsageError as error:
            self.failures += 1
            if self.failures >= self._say:
                self._say *= 10
                log.warning(
                    "template failed: the alert goes out in its own words",
                    output=self.name, rule=alert.rule, count=self.failures, reason=str(error),
                )  # fmt: skip
            return alert
