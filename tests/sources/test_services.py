"""Services as they are reached: strict small services that speak the documented interfaces."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from eyas.intake.configured import feed
from eyas.sources.reach import azure, github, k8s_audit, slack
from eyas.transports import signature
from tests import gke
from tests.service import Asked, Says, service
from tests.transports.conftest import Running, listening, running
from tests.transports.test_http import Sent

# Assembled here, so that no scanner takes this file for a leak.
GITHUB_TOKEN = "gh" + "p_" + "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX"
AWS_KEY = "AK" + "IA" + "Z3MFQ7T2K5WXYNRB"
EARLY = "2026-01-31T09:00:00.000Z"


@contextmanager
def fed(
    source: str, mark: object = None, seen: Callable[[str], bool] = lambda _: False, **section: Any
) -> Iterator[Running]:
    """A configured source, running."""
    one = feed("test", {"source": source, **section})
    with running(lambda link: one.way.open(one.settings, link), mark=mark, seen=seen) as run:
        yield run


def posted(
    run: Running, scheme: signature.Scheme, body: dict[str, Any], time: str = "", **headers: str
) -> tuple[Sent, Any]:
    """Post a signed body; the request, and the record that came of it."""
    raw = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named[scheme.header] = signature.sign(scheme, "shared", raw, time)
    if scheme.time_header:
        named[scheme.time_header] = time
    sent = Sent(listening(run), raw, named)
    return sent, json.loads(run.next().body)


# GitHub

REPOSITORY = {
    "full_name": "acme/shop",
    "html_url": "https://github.com/acme/shop",
    "private": True,
    "default_branch": "main",
}
DIFF = f"""diff --git a/app.env b/app.env
--- a/app.env
+++ b/app.env
@@ -1,2 +1,4 @@
 DEBUG=1
-OLD={AWS_KEY}
+TOKEN={GITHUB_TOKEN}
+KEY={AWS_KEY}
+XXX=AKIAXXXXXXXXXXXXXXXX
diff --git a/clean.txt b/clean.txt
--- /dev/null
+++ b/clean.txt
@@ -0,0 +1 @@
+nothing
"""


def api(asked: Asked) -> Says:
    """The parts of GitHub's interface that are asked for, with its rules."""
    if asked.headers.get("authorization") != "Bearer reader":
        return Says({"message": "Bad credentials"}, 401)
    if (
        asked.path == "/repos/acme/shop/compare/1111...2222"
        and asked.headers["accept"] == "application/vnd.github.diff"
    ):
        return Says(DIFF.encode(), headers={"Content-Type": "application/vnd.github.diff"})
    if asked.path == "/repos/acme/shop/contents/.github/workflows/ci.yml" and asked.query == {"ref": "2222"}:
        text = "jobs:\n  run: ./xmrig -o stratum+tcp://pool:3333\n"
        return Says({"content": base64.encodebytes(text.encode()).decode(), "encoding": "base64"})
    return Says({"message": "Not Found"}, 404)


def hook(url: str) -> dict[str, Any]:
    return {"via": "http", "listen": "127.0.0.1:0", "secret": "shared", "api": url, "api_token": "reader"}


def push(before: str = "1111", after: str = "2222", **more: Any) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "ref": "refs/heads/main",
        "repository": REPOSITORY,
        "head_commit": {"id": after},
        **more,
    }


def test_a_push_is_looked_into_and_no_secret_is_shown_whole() -> None:
    scheme = github.RECEPTION.scheme
    assert scheme is not None
    with service(api) as hub, fed("github", **hook(hub.url)) as run:
        message = {"head_commit": {"id": "2222", "message": f"oops {GITHUB_TOKEN}"}}
        sent, record = posted(run, scheme, push(**message), X_GitHub_Event="push", X_GitHub_Delivery="d1")
        assert sent.status() == 200
    found = {match["desc"]: match for match in record["files"][0]["matches"]}
    assert set(found) == {"GitHub personal token", "AWS access key"}
    assert found["AWS access key"]["line"] == 3
    assert (record["files"][0]["name"], found["GitHub personal token"]["line"]) == ("app.env", 2)
    assert record["files"][1] == {"name": "clean.txt", "matches": []}
    assert record["webhook_type"] == "push"
    assert record["eyas"]["id"] == "d1"
    text = json.dumps(record)
    assert GITHUB_TOKEN not in text
    assert AWS_KEY not in text


def test_a_diff_that_cannot_be_read_leaves_the_rest_of_the_push() -> None:
    scheme = github.RECEPTION.scheme
    assert scheme is not None
    with service(api) as hub, fed("github", **hook(hub.url)) as run:
        _, record = posted(run, scheme, push(after="3333"), X_GitHub_Event="push")
        assert "files" not in record
        assert run.link.status.refused["contents not read"] == 1


OWNED = [
    {"full_name": "ann/own", "permissions": {"admin": True}},
    {"full_name": "bob/his", "permissions": {"admin": False}},
]


def test_webhooks_are_made_where_they_are_missing() -> None:
    made: dict[str, Any] = {}
    url = "https://eyas.example.com/github"

    def api(asked: Asked) -> Says:
        if asked.headers.get("authorization") != "Bearer reader":
            return Says({"message": "Bad credentials"}, 401)
        if asked.path == "/repos/acme/gone/hooks":
            return Says({"message": "Not Found"}, 404)
        if asked.method in ("POST", "PATCH"):
            made[asked.path] = json.loads(asked.body)
            return Says({"id": 1}, 201)
        if asked.path == "/user/repos":
            return Says(OWNED)
        return Says([{"id": 7, "config": {"url": url}}] if asked.path == "/repos/acme/shop/hooks" else [])

    wanted = {"repositories": ["acme/shop", "acme/gone", "acme/new", "acme", "*"], "public_url": url}
    with service(api) as hub, fed("github", **hook(hub.url), **wanted) as run:
        listening(run)
        assert run.link.status.refused == {"webhook not made": 1}
    renewed = made.pop("/repos/acme/shop/hooks/7/config")
    assert set(made) == {"/repos/acme/new/hooks", "/orgs/acme/hooks", "/repos/ann/own/hooks"}
    assert renewed["secret"] == "shared"
    config = made["/repos/acme/new/hooks"]["config"]
    assert (config["url"], config["secret"], config["content_type"]) == (url, "shared", "json")
    assert "organization" in made["/orgs/acme/hooks"]["events"]


def test_a_workflow_is_searched_for_miners() -> None:
    scheme = github.RECEPTION.scheme
    assert scheme is not None
    event = {
        "action": "requested",
        "workflow": {"path": ".github/workflows/ci.yml"},
        "workflow_run": {"head_sha": "2222"},
        "repository": REPOSITORY,
    }
    with service(api) as hub, fed("github", **hook(hub.url)) as run:
        _, record = posted(run, scheme, event, X_GitHub_Event="workflow_run")
    words = {match["type"] for match in record["workflow_miner_detections"]["matches"]}
    assert words == {"xmrig", "stratum+tcp"}


def test_the_audit_log_is_followed_page_by_page() -> None:
    def audit(asked: Asked) -> Says:
        assert asked.path == "/orgs/acme/audit-log"
        assert asked.query["order"] == "asc"
        if "after" in asked.query:
            return Says(
                [
                    {
                        "@timestamp": 1_769_853_700_000,
                        "_document_id": "b",
                        "action": "repo.create",
                        "actor": "ann",
                    }
                ]
            )
        url = f"http://{asked.headers['host']}/orgs/acme/audit-log?order=asc&after=x"
        entry = {
            "@timestamp": 1_769_853_600_000,
            "_document_id": "a",
            "action": "team.add_member",
            "actor": "ann",
        }
        return Says([entry], headers={"Link": f'<{url}>; rel="next"'})

    with (
        service(audit) as hub,
        fed("github", EARLY, via="poll", organization="acme", token="t", api=hub.url, interval=0.01) as run,
    ):
        first, second = json.loads(run.next().body), json.loads(run.next().body)
    assert first[0]["eyas"] == {"time": "2026-01-31T10:00:00.000Z", "id": "a"}
    assert (second[0]["action"], second[0]["webhook_type"]) == ("repo.create", "audit_log")
    assert run.mark == "2026-01-31T10:01:40.000Z"


# Okta


def okta_event(number: int, **more: Any) -> dict[str, Any]:
    failed = {
        "eventType": "user.authentication.auth_via_mfa",
        "outcome": {"result": "FAILURE"},
        "actor": {"id": "u1"},
    }
    return {"uuid": str(number), "published": f"2026-01-31T10:00:{number:02}.000Z", **failed, **more}


def test_failures_are_counted_across_pages_and_restarts() -> None:
    def logs(asked: Asked) -> Says:
        if asked.headers.get("authorization") != "SSWS t":
            return Says({"errorCode": "E0000011"}, 401)
        number = int(asked.query.get("after", 1))
        body = [okta_event(number)] if number <= 3 else []
        url = f"http://{asked.headers['host']}/api/v1/logs?after={min(number + 1, 4)}"
        return Says(body, headers={"Link": f'<{url}>; rel="next"', "X-Rate-Limit-Remaining": "10"})

    with service(logs) as org:
        section = {"via": "poll", "domain": org.url, "token": "t", "interval": 0.01}
        with fed("okta", **section) as run:
            pages = [json.loads(run.next().body), json.loads(run.next().body)]
            mark = json.loads(json.dumps(run.mark))
        with fed("okta", mark=mark, **section) as run:
            pages.append(json.loads(run.next().body))
    assert [len(page[0]["eyas"]["failures"]) for page in pages] == [1, 2, 3]
    assert [page[0]["uuid"] for page in pages] == ["1", "2", "3"]


# Slack


def slack_api(asked: Asked) -> Says:
    if asked.headers.get("authorization") != "Bearer xoxb":
        return Says({"ok": False, "error": "not_authed"})
    host = f"http://{asked.headers['host']}"
    if asked.path == "/files.info" and asked.query == {"file": "F1"}:
        file = {"id": "F1", "name": "notes.txt", "filetype": "text", "mimetype": "text/plain", "size": 60}
        return Says(
            {"ok": True, "file": {**file, "url_private": f"{host}/private", "preview": f"t={GITHUB_TOKEN}"}}
        )
    if asked.path == "/private":
        return Says(f"token: {GITHUB_TOKEN}\n".encode())
    if asked.path == "/conversations.info":
        return Says({"ok": True, "channel": {"name": "partners", "is_ext_shared": True}})
    return Says({"ok": False, "error": "unknown_method"})


def test_slack_is_greeted_and_its_files_are_looked_into() -> None:
    import time

    scheme = slack.RECEPTION.scheme
    assert scheme is not None
    section = {"via": "http", "listen": "127.0.0.1:0", "secret": "shared", "api_token": "xoxb"}
    with service(slack_api) as api_, fed("slack", api=api_.url, **section) as run:
        now = str(int(time.time()))
        hello = json.dumps({"type": "url_verification", "challenge": "c1"}).encode()
        signed = {scheme.header: signature.sign(scheme, "shared", hello, now), scheme.time_header: now}
        answer = httpx.post(
            listening(run), content=hello, headers={**signed, "Content-Type": "application/json"}
        )
        assert answer.json() == {"challenge": "c1"}
        event = {"type": "file_shared", "file_id": "F1", "channel_id": "C1", "user_id": "U1"}
        body = {
            "type": "event_callback",
            "event_id": "Ev1",
            "event_time": int(now),
            "token": "old",
            "event": event,
        }
        sent, record = posted(run, scheme, body, now)
        assert sent.status() == 200
    assert record["event"]["file"]["name"] == "notes.txt"
    assert record["eyas"]["channel"]["is_ext_shared"] is True
    assert {secret["kind"] for secret in record["eyas"]["secrets"]} == {"GitHub personal token"}
    assert GITHUB_TOKEN not in json.dumps(record)
    assert "token" not in record


def test_slacks_audit_log_newest_first_moves_on_after_its_last_page() -> None:
    def logs(asked: Asked) -> Says:
        assert asked.path == "/audit/v1/logs"
        last = "cursor" in asked.query
        entry = {"id": "1" if last else "2", "date_create": 100 if last else 200, "action": "file_downloaded"}
        return Says({"entries": [entry], "response_metadata": {"next_cursor": "" if last else "c"}})

    with service(logs) as org:
        section = {"via": "poll", "token": "t", "api": org.url, "interval": 0.01}
        with fed("slack", mark={"since": 50, "newest": 50}, **section) as run:
            assert json.loads(run.next().body)[0]["eyas"] == {"id": "2"}
            assert run.mark["since"] == 50
            run.next()
            assert run.mark["since"] == 200


# Azure


def test_entra_is_asked_with_a_token_that_is_renewed() -> None:
    issued: list[str] = []

    def graph(asked: Asked) -> Says:
        if asked.path == "/tenant/oauth2/v2.0/token":
            form = asked.body.decode()
            assert "grant_type=client_credentials" in form
            assert "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" in form
            issued.append(f"t{len(issued)}")
            return Says({"access_token": issued[-1], "expires_in": 3600})
        if asked.headers.get("authorization") != "Bearer t1":
            return Says({"error": {"code": "InvalidAuthenticationToken"}}, 401)
        if "$skiptoken" in asked.query:
            return Says({"value": [{"id": "b", "createdDateTime": "2026-01-31T10:00:01Z"}]})
        assert asked.query["$filter"].startswith("createdDateTime ge ")
        url = f"http://{asked.headers['host']}/v1.0/auditLogs/signIns?$skiptoken=x"
        return Says(
            {"value": [{"id": "a", "createdDateTime": "2026-01-31T10:00:00Z"}], "@odata.nextLink": url}
        )

    with service(graph) as ms:
        section = {
            "via": "signins",
            "tenant": "tenant",
            "client": "c",
            "secret": "s",
            "api": ms.url,
            "login": ms.url,
        }
        with fed("azure", mark=EARLY, interval=0.01, **section) as run:
            first, second = json.loads(run.next().body), json.loads(run.next().body)
    assert first == [
        {"id": "a", "createdDateTime": "2026-01-31T10:00:00Z", "category": "SignInLogs", "eyas": {"id": "a"}}
    ]
    assert second[0]["eyas"] == {"id": "b"}
    assert run.mark == {"since": "2026-01-31T10:00:01Z", "newest": "2026-01-31T10:00:01Z"}
    assert issued == ["t0", "t1"]


def test_records_of_event_hubs_keep_their_own_category() -> None:
    body = json.dumps({"records": [{"category": "SignInLogs", "properties": {"id": "x"}}]}).encode()
    assert json.loads(azure.recorded(body, "other")) == [
        {"category": "SignInLogs", "properties": {"id": "x"}, "eyas": {"id": "x"}}
    ]


# Kubernetes at the three clouds


def test_an_entry_of_google_becomes_an_audit_event() -> None:
    made = json.loads(k8s_audit.from_gke(json.dumps(gke.ENTRY).encode()) or b"")
    assert made["objectRef"] == {
        "apiVersion": "v1", "namespace": "shop", "resource": "pods", "name": "web", "subresource": "exec",
    }  # fmt: skip
    assert made["requestURI"] == "/api/v1/namespaces/shop/pods/web/exec"
    assert (made["verb"], made["user"]["username"], made["auditID"]) == ("create", "ann@example.com", "i1")
    assert made["responseStatus"] == {"code": 201}
    assert made["annotations"] == {"authorization.k8s.io/decision": "allow", "cluster_name": "prod"}
    call = {**gke.ENTRY["protoPayload"], "methodName": "google.container.v1.ClusterManager.GetCluster"}
    assert k8s_audit.from_gke(json.dumps({**gke.ENTRY, "protoPayload": call}).encode()) is None


def test_the_events_inside_azures_records_are_unpacked() -> None:
    inner = {"auditID": "a", "verb": "get"}
    records = [
        {
            "category": "kube-audit",
            "resourceId": "/X/MANAGEDCLUSTERS/PROD",
            "properties": {"log": json.dumps(inner)},
        },
        {"category": "guard", "properties": {"log": "text"}},
    ]
    made = k8s_audit.from_aks(json.dumps({"records": records}).encode())
    assert json.loads(made or b"") == {**inner, "annotations": {"cluster_name": "prod"}}


def test_a_record_of_azure_without_its_event_leaves_the_others() -> None:
    good = {"category": "kube-audit", "properties": {"log": '{"verb":"get"}'}}
    bad = [{"category": "kube-audit"}, None, {"category": "kube-audit", "properties": {"log": "{"}}]
    made = k8s_audit.from_aks(json.dumps({"records": [*bad, good]}).encode()) or b""
    *refused, event = made.splitlines()
    assert refused == [b"no event"] * 3
    assert json.loads(event)["verb"] == "get"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"records": 1}'])
def test_what_is_no_such_record_is_refused_not_raised(body: bytes) -> None:
    from eyas.sources.reach.way import mapped
    from eyas.transports.parcel import Link, Outcome, Parcel
    from eyas.transports.status import Status

    settled: list[Outcome] = []
    link = Link(Status("test"))
    parcels = iter([Parcel(body, "x", settle=settled.append)])
    assert list(mapped(parcels, lambda parcel: k8s_audit.from_aks(parcel.body), link)) == []
    assert settled == [Outcome.REFUSED]
    assert link.status.refused["not understood"] == 1
