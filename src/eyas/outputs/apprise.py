"""Apprise: the alert to any of its services, by their addresses; for all that has no card here."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, in_turn, retry
from eyas.errors import UsageError
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import reveal
from eyas.outputs.body.markup import header, line
from eyas.outputs.card import Output, Settings, library
from eyas.outputs.values import rank


class AppriseSettings(Settings):
    """Keys below `apprise`: one or more addresses, parted by blanks or commas."""

    needs = ("urls",)
    urls: SecretStr


def request(alert: Alert, settings: AppriseSettings) -> Request:
    """Title, text and kind of one notification."""
    facts = "\n".join(f"{line(name)}: {line(value)}" for name, value in chat.facts(alert))
    weight = rank(alert.priority)
    kind = "failure" if weight >= rank("error") else "warning" if weight == rank("warning") else "info"
    head = {"title": header(f"{event.priority(alert)}: {alert.rule}"), "kind": kind}
    return Request("NOTIFY", "apprise:", head, f"{line(event.output(alert))}\n\n{facts}".encode())


class Link:
    """The services."""

    def __init__(self, settings: AppriseSettings) -> None:
        self.apprise = library("apprise", "chat")
        self.services = self.apprise.Apprise()
        for url in reveal(settings.urls).replace(",", " ").split():
            if not self.services.add(url):
                raise UsageError("apprise.urls: an address that Apprise does not know")

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One notification after the other, to all services."""
        return in_turn(batch, self._notify)

    def close(self) -> None:
        """Nothing is held."""

    def _notify(self, request: Request) -> Answer:
        done = self.services.notify(
            body=request.body.decode(),
            title=request.headers["title"],
            notify_type=request.headers["kind"],
            body_format=self.apprise.NotifyFormat.TEXT,
        )
        return delivered() if done else retry("a service did not take it")


def open_link(settings: AppriseSettings) -> Sender:
    """The services."""
    return Link(settings)


OUTPUT = Output(
    "apprise",
    "Apprise: any of its services, by address",
    AppriseSettings,
    request,
    open=open_link,
    libraries={"apprise": "chat"},
)
