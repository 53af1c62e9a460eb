"""Azure: records from Event Hubs, the activity log of a subscription, and Entra's sign-ins and changes, asked for."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from eyas.sources.reach import eventhubs, moment
from eyas.sources.reach.oauth import Tokens
from eyas.sources.reach.way import Way, mapped
from eyas.transports import poll
from eyas.transports.exchange import Page
from eyas.transports.parcel import Link, Mark, Parcel
from eyas.transports.secret import Secret

LOGIN = "https://login.microsoftonline.com"
MANAGEMENT = "https://management.azure.com"
GRAPH = "https://graph.microsoft.com"
# Records appear minutes after they happened; what was seen already is known by its id.
LATE = 900.0


@dataclass(frozen=True, kw_only=True)
class Application:
    """The application that asks."""

    tenant: Annotated[str, "Id of the tenant."]
    client: Annotated[str, "Id of the application."]
    secret: Annotated[Secret, "Secret of the application."]
    interval: Annotated[float, "Seconds between two questions."] = 60.0
    login: Annotated[str, "Address that gives tokens."] = LOGIN

    def tokens(self, resource: str) -> Tokens:
        """Tokens for an interface."""
        url = f"{self.login}/{urllib.parse.quote(self.tenant)}/oauth2/v2.0/token"
        return Tokens(url, self.client, self.secret, f"{resource}/.default")


@dataclass(frozen=True, kw_only=True)
class Activity(Application):
    """Whose activity log."""

    subscription: Annotated[str, "Id of the subscription."]
    api: Annotated[str, "Address of the interface."] = MANAGEMENT


@dataclass(frozen=True, kw_only=True)
class Entra(Application):
    """Which directory."""

    api: Annotated[str, "Address of Microsoft Graph."] = GRAPH


def _windows(
    address: Callable[[str], str], settings: Application, resource: str, time: str, link: str
) -> poll.Paging:
    """Paging of an interface that filters by time and gives a next link."""
    tokens = settings.tokens(resource)

    def follow(page: Page) -> str | None:
        return json.loads(page.body).get(link) or None

    def mark(page: Page, mark: Mark) -> Mark:
        """The newest may come first: only when the last page is there, the next question begins later."""
        left = _left(mark)
        found = json.loads(page.body).get("value", [])
        newest = moment.newest(left["newest"], (item.get(time) for item in found if isinstance(item, dict)))
        return {"since": left["since"] if follow(page) else newest, "newest": newest}

    def start(mark: Mark) -> str:
        return address(moment.before(_left(mark)["since"], LATE))

    return poll.Paging(
        start=start,
        follow=follow,
        mark=mark,
        headers=tokens.headers,
        renew=tokens.renew,
        interval=settings.interval,
    )


def _left(mark: Mark) -> dict[str, str]:
    """A mark; one of earlier versions is a time alone."""
    if isinstance(mark, dict):
        return mark
    begin = mark or moment.ago(LATE)  # at the first start: what happens while Eyas is down then belongs to it
    return {"since": begin, "newest": begin}


def _activity(settings: Activity) -> poll.Paging:
    path = f"/subscriptions/{urllib.parse.quote(settings.subscription)}/providers/Microsoft.Insights/eventtypes/management/values"

    def address(since: str) -> str:
        query = {"api-version": "2015-04-01", "$filter": f"eventTimestamp ge '{since}'"}
        return f"{settings.api}{path}?{urllib.parse.urlencode(query)}"

    return _windows(address, settings, MANAGEMENT, "eventTimestamp", "nextLink")


def _entra(settings: Entra, log: str, time: str) -> poll.Paging:
    def address(since: str) -> str:
        query = {"$filter": f"{time} ge {since}", "$orderby": f"{time} asc", "$top": "500"}
        return f"{settings.api}/v1.0/auditLogs/{log}?{urllib.parse.urlencode(query)}"

    return _windows(address, settings, GRAPH, time, "@odata.nextLink")


def _signins(settings: Entra) -> poll.Paging:
    return _entra(settings, "signIns", "createdDateTime")


def _changes(settings: Entra) -> poll.Paging:
    return _entra(settings, "directoryAudits", "activityDateTime")


def _polled(make: Callable[[Any], poll.Paging], category: str) -> Callable[[Any, Link], Iterator[Parcel]]:
    def parcels(settings: Any, link: Link) -> Iterator[Parcel]:
        return mapped(
            poll.parcels(make(settings), link), lambda parcel: recorded(parcel.body, category), link
        )

    return parcels


def recorded(body: bytes, category: str = "") -> bytes:
    """Records with their identity, and their category where only the address told it."""
    document = json.loads(body)
    found = document
    if isinstance(document, dict):
        found = document["records"] if "records" in document else document["value"]
    return json.dumps([_recorded(item, category) for item in found], separators=(",", ":")).encode()


def _recorded(item: Any, category: str) -> Any:
    if not isinstance(item, dict):
        return item  # whoever judges says what is wrong with it
    properties = item.get("properties")
    inside = properties.get("id", "") if isinstance(properties, dict) else ""
    identity = item.get("eventDataId") or item.get("id") or inside
    named = item if "category" in item or not category else {**item, "category": category}
    return {**named, "eyas": {"id": identity}} if identity else named


def hub(settings: eventhubs.Settings, link: Link) -> Iterator[Parcel]:
    """Records that diagnostic settings send."""
    return mapped(eventhubs.parcels(settings, link), lambda parcel: recorded(parcel.body), link)


def _probe(make: Callable[[Any], poll.Paging]) -> Callable[[Any], str]:
    return lambda settings: poll.probe(make(settings))


WAYS = (
    Way(
        "eventhubs",
        "records that diagnostic settings send to Event Hubs",
        eventhubs.Settings,
        hub,
        eventhubs.probe,
    ),
    Way("activity", "activity log of a subscription", Activity, _polled(_activity, ""), _probe(_activity)),
    Way("signins", "sign-ins of Entra ID", Entra, _polled(_signins, "SignInLogs"), _probe(_signins)),
    Way("changes", "changes of Entra ID", Entra, _polled(_changes, "AuditLogs"), _probe(_changes)),
)
