"""Services that speak their documented interface and nothing else: paging, limits, tokens, and a fault before every page."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.service import Asked, Says

PAGE = 3
Entry = dict[str, Any]


@dataclass
class Strict:
    """A service with a log. `faults` come first, one for each request that would be answered well; None is no fault."""

    make: Callable[[int], Entry]
    faults: list[Says | None] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def happen(self, count: int) -> None:
        """So many entries more."""
        self.log += [self.make(number) for number in range(len(self.log), len(self.log) + count)]

    def __call__(self, asked: Asked) -> Says:
        """Answer; what the documents do not allow is noted and refused."""
        if early := self.before(asked):
            return early
        try:
            says = self.page(asked)
        except (AssertionError, KeyError, ValueError) as error:
            self.wrong.append(f"{asked.path}?{asked.query}: {error!r}")
            return Says({"error": str(error)}, 400)
        if self.faults and (fault := self.faults.pop(0)):
            return Says(says.body, 200, says.headers, cut=True) if fault.cut else fault
        return says

    def before(self, asked: Asked) -> Says | None:
        """Answer to what is asked beside the log."""
        return None

    def page(self, asked: Asked) -> Says:
        """A page of the log."""
        raise NotImplementedError


def bearer(asked: Asked, token: str = "t") -> None:
    assert asked.headers["authorization"] == f"Bearer {token}", "authorization"
    assert "json" in asked.headers.get("accept", ""), "accept"


def known(asked: Asked, *names: str) -> None:
    assert asked.method == "GET", "method"
    assert set(asked.query) <= set(names), "unknown parameters"


def link(asked: Asked, **query: Any) -> str:
    return f"http://{asked.headers['host']}{asked.path}?{urllib.parse.urlencode(query)}"


def rfc3339(number: int) -> str:
    return datetime.fromtimestamp(seconds(number), UTC).isoformat().replace("+00:00", "Z")


def seconds(number: int) -> int:
    """An hour lies between two entries: more than services may be late."""
    return 1_767_225_600 + 3600 * number


class Okta(Strict):
    """https://developer.okta.com/docs/reference/api/system-log/: `next` is always there while events may still come."""

    def page(self, asked: Asked) -> Says:
        assert asked.path == "/api/v1/logs"
        assert asked.headers["authorization"] == "SSWS t"
        known(asked, "since", "limit", "sortOrder", "after")
        assert 1 <= int(asked.query["limit"]) <= 1000
        assert asked.query["sortOrder"] == "ASCENDING"
        datetime.fromisoformat(asked.query["since"])
        begin = int(asked.query["after"].removeprefix("id_")) if "after" in asked.query else 0
        found = self.log[begin : begin + PAGE]
        after = link(asked, **{**asked.query, "after": f"id_{begin + len(found)}"})
        headers = {"Link": f'<{link(asked, **asked.query)}>; rel="self", <{after}>; rel="next"'}
        return Says(found, headers={**headers, "X-Rate-Limit-Remaining": "59", "X-Rate-Limit-Reset": "1"})


class GitHub(Strict):
    """https://docs.github.com/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization."""

    def page(self, asked: Asked) -> Says:
        assert asked.path == "/orgs/acme/audit-log"
        bearer(asked)
        assert asked.headers["x-github-api-version"]
        assert asked.headers["user-agent"]
        known(asked, "phrase", "include", "order", "per_page", "after")
        assert (asked.query["include"], asked.query["order"]) == ("all", "asc")
        assert 1 <= int(asked.query["per_page"]) <= 100
        since = re.fullmatch(r"created:>=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", asked.query["phrase"])
        assert since is not None, "phrase"
        least = datetime.fromisoformat(since[1]).timestamp() * 1000
        chosen = [entry for entry in self.log if entry["@timestamp"] >= least]
        begin = int(asked.query.get("after", 0))
        headers = {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1"}
        if begin + PAGE < len(chosen):
            after = link(asked, **{**asked.query, "after": begin + PAGE})
            headers["Link"] = f'<{after}>; rel="next"'
        return Says(chosen[begin : begin + PAGE], headers=headers)


class Slack(Strict):
    """https://docs.slack.dev/admins/audit-logs-api: the newest come first."""

    def page(self, asked: Asked) -> Says:
        assert asked.path == "/audit/v1/logs"
        bearer(asked)
        known(asked, "limit", "oldest", "cursor")
        assert 1 <= int(asked.query["limit"]) <= 9999
        end, oldest = len(self.log), int(asked.query["oldest"])
        if cursor := asked.query.get("cursor"):
            assert cursor.startswith("dXNlcjo"), "invalid_cursor"
            end = int(cursor.removeprefix("dXNlcjo"))
        chosen = [entry for entry in self.log[:end] if entry["date_create"] >= oldest]
        rest = end - PAGE if len(chosen) > PAGE else None
        cursor = "" if rest is None else f"dXNlcjo{rest}"
        return Says({"entries": chosen[::-1][:PAGE], "response_metadata": {"next_cursor": cursor}})


class Microsoft(Strict):
    """Tokens of login.microsoftonline.com: each is good for a few pages."""

    scope, lasts, issued, left = "", 3, 0, 0

    def before(self, asked: Asked) -> Says | None:
        if asked.path == "/tenant/oauth2/v2.0/token":
            form = dict(urllib.parse.parse_qsl(asked.body.decode()))
            wanted = {"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"}
            if asked.method != "POST" or form != {**wanted, "scope": self.scope}:
                self.wrong.append(f"token: {form}")
                return Says({"error": "invalid_client"}, 401)
            self.issued, self.left = self.issued + 1, self.lasts
            return Says({"access_token": f"t{self.issued}", "expires_in": 3599, "token_type": "Bearer"})
        self.left -= 1
        if self.left < 0:
            return Says({"error": {"code": "InvalidAuthenticationToken"}}, 401)
        bearer(asked, f"t{self.issued}")
        return None

    def chosen(self, asked: Asked, time: str, since: str, *, newest_first: bool) -> tuple[list[Entry], str]:
        """A page of what happened since then, and the token of the next."""
        least = datetime.fromisoformat(since)
        assert least.tzinfo == UTC
        found = [entry for entry in self.log if datetime.fromisoformat(entry[time]) >= least]
        ordered = found[::-1] if newest_first else found
        begin = int(asked.query.get("$skiptoken", 0))
        return ordered[begin : begin + PAGE], str(begin + PAGE) if begin + PAGE < len(ordered) else ""


class Entra(Microsoft):
    """https://learn.microsoft.com/graph/api/signin-list."""

    scope = "https://graph.microsoft.com/.default"

    def page(self, asked: Asked) -> Says:
        assert asked.path == "/v1.0/auditLogs/signIns"
        known(asked, "$filter", "$orderby", "$top", "$skiptoken")
        assert 1 <= int(asked.query["$top"]) <= 1000
        assert asked.query["$orderby"] == "createdDateTime asc"
        since = asked.query["$filter"].removeprefix("createdDateTime ge ")
        found, after = self.chosen(asked, "createdDateTime", since, newest_first=False)
        more = {"@odata.nextLink": link(asked, **{**asked.query, "$skiptoken": after})} if after else {}
        return Says({"@odata.context": "x", "value": found, **more})


class Activity(Microsoft):
    """https://learn.microsoft.com/rest/api/monitor/activity-logs/list: the newest come first."""

    scope = "https://management.azure.com/.default"

    def page(self, asked: Asked) -> Says:
        assert asked.path == "/subscriptions/s/providers/Microsoft.Insights/eventtypes/management/values"
        known(asked, "api-version", "$filter", "$skiptoken")
        assert asked.query["api-version"] == "2015-04-01"
        since = re.fullmatch(r"eventTimestamp ge '([^']+)'", asked.query["$filter"])
        assert since is not None, "$filter"
        found, after = self.chosen(asked, "eventTimestamp", since[1], newest_first=True)
        more = {"nextLink": link(asked, **{**asked.query, "$skiptoken": after})} if after else {}
        return Says({"value": found, **more})


SERVICES: dict[str, tuple[Callable[[], Strict], dict[str, Any]]] = {
    "okta": (
        lambda: Okta(lambda n: {"uuid": str(n), "published": rfc3339(n), "eventType": "x"}),
        {"source": "okta", "via": "poll", "token": "t"},
    ),
    "github": (
        lambda: GitHub(lambda n: {"_document_id": str(n), "@timestamp": 1000 * seconds(n)}),
        {"source": "github", "via": "poll", "token": "t", "organization": "acme"},
    ),
    "slack": (
        lambda: Slack(lambda n: {"id": str(n), "date_create": seconds(n), "action": "x"}),
        {"source": "slack", "via": "poll", "token": "t"},
    ),
    "entra": (
        lambda: Entra(lambda n: {"id": str(n), "createdDateTime": rfc3339(n)}),
        {"source": "azure", "via": "signins", "tenant": "tenant", "client": "c", "secret": "s"},
    ),
    "activity": (
        lambda: Activity(lambda n: {"eventDataId": str(n), "eventTimestamp": rfc3339(n)}),
        {"source": "azure", "via": "activity", "tenant": "tenant", "client": "c", "secret": "s", "subscription": "s"},
    ),
}  # fmt: skip


def section(name: str, url: str) -> dict[str, Any]:
    """The configuration that reaches a service at an address."""
    made = {**SERVICES[name][1], "interval": 0.01}
    place = {"domain": url} if name == "okta" else {"api": url}
    return {**made, **place, **({"login": url} if "tenant" in made else {})}


def faults() -> Iterator[Says]:
    """Everything that passes."""
    yield Says({"error": "busy"}, 429, {"Retry-After": "0"})
    yield Says(b"<html>bad gateway</html>", 502)
    yield Says(cut=True)
    yield Says({"error": "overloaded"}, 503)
    yield Says(b"<html>maintenance</html>", 200)
    yield Says({"error": "timed out"}, 504)
