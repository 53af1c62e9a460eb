"""Whatever stands in an alert, every request is well formed, and nothing in it becomes markup, a line or a header."""

import dataclasses
import email
import gzip
import json
import re
from email import policy

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs import OUTPUTS
from eyas.outputs.body import event
from eyas.outputs.body.headline import render
from eyas.outputs.card import find, plan
from eyas.outputs.settings import settings_of
from tests.outputs.cases import ALERT, CASES

NASTY = (
    "a\r\nBcc: evil@example.org\r\n\r\nbody",
    "x\nfalco.critical:9|c",
    "<!channel> <https://evil|click> &amp;",
    "@everyone `code` *bold* [link](https://evil) {@participants}",
    "```\n# heading",
    "back\\",
    "quote\" , = ; | ' --",
    "'; DROP TABLE events; --",
    "<script>alert(1)</script>",
    '{{ cycler.__init__.__globals__ }}{% raw %}"',
    "${jndi:ldap://evil}",
    "\x00\x1b[2J\x07\x7f\x9b\u202e\u2028\u2066\ud800",
    "k=v,k2=v2 9=9",
    "999 <10>1 2020-01-01T00:00:00Z h a - - - fake",
    "/../../etc/passwd?x=#frag%0d%0a",
    "falco.>.*",
    "",
    " ",
)
UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))
scalars = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(min_value=-(1 << 70), max_value=1 << 70),
    st.floats(),
    st.binary(max_size=8),
)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(texts, scalars, max_size=2))
alerts = st.builds(
    Alert,
    rule=texts,
    priority=st.sampled_from(("Critical", "debug", "INFORMATIONAL", "emergency", "warning", "odd\nvalue")),
    source=st.one_of(st.just("syscall"), texts),
    tags=st.lists(texts, max_size=3).map(tuple),
    ts=st.integers(min_value=0, max_value=4_000_000_000_000_000_000),
    message=texts,
    fields=st.dictionaries(
        st.one_of(st.sampled_from(("k8s.ns.name", "fd.name", "proc.pid", "n_drop", "ka.target.name")), texts),
        values,
        max_size=5,
    ),
    hostname=texts,
    eyas=st.one_of(st.just({}), st.dictionaries(texts, scalars, max_size=2)),
)
WORST = Alert(
    rule=NASTY[0],
    priority="Critical",
    source="syscall",
    tags=NASTY,
    ts=1,
    message="".join(NASTY),
    fields=dict(zip(NASTY, reversed(NASTY), strict=True)) | {"fd.name": NASTY[1], "n": float("nan")},
    hostname=NASTY[13],
    eyas={"id": "\ud800"},
)
LONG = dataclasses.replace(
    WORST, message="<&`*\\" * 2_000, fields={f"f{n}": '_*`"\\,= ' * 900 for n in range(40)}
)
quick = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", OUTPUTS)
@quick
@example(WORST)
@example(LONG)
@given(alerts)
def test_requests_are_well_formed(name: str, alert: Alert) -> None:
    for variant in CASES[name].values():
        card = find(name)
        for request in plan(card, [alert, ALERT], settings_of(card, variant)):
            check_head(request)
            check_body(name, request)


def check_head(request: Request) -> None:
    head = [request.method, request.url, *request.headers, *request.headers.values()]
    assert not any(c < " " or c == "\x7f" for c in "".join(head))
    assert all(re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name, re.ASCII) for name in request.headers)
    assert request.url.isascii()
    if request.url.startswith("http"):
        "".join(request.headers.values()).encode("latin-1")


def check_body(name: str, request: Request) -> None:
    body = request.body
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    check = CHECKS.get(name, json_only)
    check(body)


def json_only(body: bytes) -> None:
    """One value, or one on each line; nothing that a terminal or a page obeys unseen stands as it is."""
    assert not any(byte < 32 and byte != 10 for byte in body)
    assert not UNSEEN.search(body.decode())
    for text in body.splitlines():
        json.loads(text)


def slack(body: bytes) -> None:
    json_only(body)
    marked = json.loads(body, object_hook=lambda it: {} if it.get("type") == "plain_text" else it)
    for text in strings(marked["attachments"]):
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)


def markdown(body: bytes) -> None:
    json_only(body)
    for text in strings(json.loads(body)):
        assert not re.search(r"@(?=\w)", text), text
        assert not re.search(r"(?<!\\)(?:\\\\)*<", text), text


def teams(body: bytes) -> None:
    json_only(body)


def discord(body: bytes) -> None:
    json_only(body)
    made = json.loads(body)
    (embed,) = made["embeds"]
    assert made["allowed_mentions"] == {"parse": []}
    assert len(embed["fields"]) <= 25 and len(embed["description"]) <= 4096
    sizes = [len(field["name"]) + len(field["value"]) for field in embed["fields"]]
    assert sum(sizes) + len(embed["description"]) <= 6000
    for field in embed["fields"]:
        assert field["value"] and field["name"] and len(field["value"]) <= 1024
        assert field["value"].count("```") in (0, 2)


def telegram(body: bytes) -> None:
    json_only(body)
    text = json.loads(body)["text"]
    assert len(text) <= 4096
    bare = re.sub(r"\\.", "", text)
    assert not re.search(r"[_\[\]()~`>#+\-=|{}.!\\]", bare), bare
    assert bare.count("*") % 2 == 0


def one_line(body: bytes) -> None:
    assert body.count(b"\n") == body.endswith(b"\n")
    assert not any(byte < 32 for byte in body.rstrip(b"\n"))
    body.decode()


def lines(body: bytes) -> None:
    assert not any(byte < 32 and byte != 10 for byte in body)


def influxdb(body: bytes) -> None:
    lines(body)
    rows = body.decode().split("\n")
    assert len(rows) == 2
    for row in rows:
        bare = re.sub(r"\\.", "_", row, flags=re.DOTALL)
        head, quoted, tail = re.fullmatch(
            r'(events(?:,[^,= ]+=[^,= ]+)*) value=("[^"]*") (\d+)', bare
        ).groups()  # type: ignore[union-attr]
        assert head and quoted and tail


def wavefront(body: bytes) -> None:
    lines(body)
    for row in body.decode().splitlines():
        bare = re.sub(r'\\"', "", row)
        assert re.fullmatch(r'"falco.alert" 1 \d+ source="falco-exporter"( "[\w.]+"="[^"]*")*', bare), bare


def statsd(body: bytes) -> None:
    lines(body)
    rows = body.decode().splitlines()
    assert len(rows) in (2, 3)
    assert all(
        re.fullmatch(r"falcosidekick\.[\w.-]+:1\|c(\|#([^,|:\n]+:[^,|:\n]*,?)+)?", row) for row in rows
    )


def mail(body: bytes) -> None:
    made = email.message_from_bytes(body, policy=policy.SMTP)
    names = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
    assert set(made) <= names | {"Content-Type", "Content-Transfer-Encoding"}
    assert not any(name in made for name in ("Bcc", "Cc"))
    html = made.get_body(("html",))
    if html is not None:
        assert "<script" not in html.get_content()
    body.decode("ascii")


def syslog(body: bytes) -> None:
    text = body.decode()
    counted = re.match(r"(\d+) ", text)
    if counted and not text.startswith("<"):
        assert int(counted[1]) == len(text[counted.end() :].encode())
        text = text[counted.end() :]
    one_line(text.encode())
    assert re.match(
        r"<\d+>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} Falco - - - (CEF:0\||\{)", text
    )
    if " CEF:0" in text:
        head = re.sub(r"\\.", "", text.partition("CEF:0")[2])
        assert head.split("|")[1:4] == ["Falcosecurity", "Falco", "1.0"]
        assert head.split("|")[6].isdigit()


def parquet(body: bytes) -> None:
    assert body.startswith(b"PAR1") and body.endswith(b"PAR1")


def anything(body: bytes) -> None:
    """The body has its own length and holds whatever it likes."""


def plain_or_json(body: bytes) -> None:
    one_line(body)


CHECKS = {
    "slack": slack,
    "rocketchat": markdown,
    "mattermost": markdown,
    "webex": markdown,
    "discord": discord,
    "telegram": telegram,
    "teams": teams,
    "influxdb": influxdb,
    "wavefront": wavefront,
    "statsd": statsd,
    "dogstatsd": statsd,
    "smtp": mail,
    "syslog": syslog,
    "logstash": one_line,
    "aws.sns": plain_or_json,
    "aws.securitylake": parquet,
    "otlp.logs": anything,
    "otlp.metrics": anything,
    "otlp.traces": anything,
    "apprise": lines,
}


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for entry in value.values() for text in strings(entry)]
    return [text for entry in value for text in strings(entry)] if isinstance(value, list) else []


@quick
@example(WORST)
@given(alerts)
def test_a_template_shows_values_and_runs_none(alert: Alert) -> None:
    shown = render(
        '{{ .Rule }}|{{ index .OutputFields "fd.name" }}', alert, lambda text: event.text(event.plain(text))
    )
    assert shown.startswith(event.plain(alert.rule))


@quick
@given(alerts)
def test_a_repeat_has_the_same_id(alert: Alert) -> None:
    assert event.identity(alert) == event.identity(dataclasses.replace(alert))
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", event.identity(alert)
    )
