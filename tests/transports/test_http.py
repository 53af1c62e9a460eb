"""The HTTP listener: who may speak, how much, and when the answer comes."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from eyas.errors import UsageError
from eyas.transports import http, signature
from eyas.transports.parcel import Outcome, Parcel
from eyas.transports.secret import Secret
from tests.transports.conftest import Running, listening, running, wait_until

PLAIN = http.Reception()
SIGNED = http.Reception(signature.Scheme("X-Hub-Signature-256", "sha256="), once=True)
TIMED = http.Reception(signature.Scheme("X-Signature", "v0=", "v0:{time}:{body}", "X-Time"))
JSON = {"Content-Type": "application/json"}
LOCAL = "127.0.0.1:0"


def settings(**more: object) -> http.Signed:
    return http.Signed(**{"listen": LOCAL, "path": "/in", "timeout": 20.0, **more})  # type: ignore[arg-type]


class Sent:
    """A request under way."""

    def __init__(self, url: str, body: bytes, headers: dict[str, str], **more: object) -> None:
        self._answer: httpx.Response | None = None
        self.parcel: Parcel
        self._thread = threading.Thread(target=self._send, args=(url, body, {**JSON, **headers}, more))
        self._thread.start()

    def _send(self, url: str, body: bytes, headers: dict[str, str], more: dict[str, object]) -> None:
        self._answer = httpx.post(url, content=body, headers=headers, timeout=30, **more)  # type: ignore[arg-type]

    def status(self) -> int:
        self._thread.join(30)
        assert self._answer is not None
        return self._answer.status_code

    def is_open(self) -> bool:
        return self._answer is None


@pytest.fixture
def plain() -> Iterator[Running]:
    with running(lambda link: http.parcels(settings(), link, PLAIN)) as run:
        yield run


def test_a_body_is_answered_only_when_it_is_safe(plain: Running) -> None:
    sent = Sent(listening(plain), b"{}", {})
    parcel = plain.next(outcome=None)
    assert parcel.body == b"{}"
    assert sent.is_open()
    parcel.settle(Outcome.SAFE)
    assert sent.status() == 200


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.REFUSED, 400), (Outcome.AGAIN, 503)])
def test_the_answer_says_what_became_of_a_body(plain: Running, outcome: Outcome, status: int) -> None:
    sent = Sent(listening(plain), b"{", {})
    plain.next(outcome)
    assert sent.status() == status


def test_a_listener_beyond_this_machine_demands_authentication() -> None:
    with pytest.raises(UsageError, match="authentication is needed"):
        http.check(settings(listen="0.0.0.0:9765"), PLAIN)
    with pytest.raises(UsageError, match="authentication is needed"):
        http.check(settings(listen="0.0.0.0:9765", secret=Secret("s")), PLAIN)  # nothing would check it
    http.check(settings(listen="0.0.0.0:9765", token=Secret("t")), PLAIN)
    http.check(settings(listen="0.0.0.0:9765", secret=Secret("s")), SIGNED)


def refused(run: Running, status: int, reason: str, body: bytes = b"{}", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    assert Sent(listening(run), body, named).status() == status
    wait_until(lambda: run.link.status.refused[reason] == 1)


def test_a_wrong_token_is_refused() -> None:
    with running(lambda link: http.parcels(settings(token=Secret("right")), link, PLAIN)) as run:
        refused(run, 401, "wrong token", authorization="Bearer wrong")
        sent = Sent(listening(run), b"{}", {"Authorization": "Bearer right"})
        run.next()
        assert sent.status() == 200


def test_a_wrong_or_missing_signature_is_refused() -> None:
    with running(lambda link: http.parcels(settings(secret=Secret("key")), link, SIGNED)) as run:
        refused(run, 401, "no signature")
        refused(run, 401, "wrong signature", x_hub_signature_256="sha256=" + "0" * 64)


def test_a_signed_request_that_comes_again_goes_no_further() -> None:
    seen: set[str] = set()
    with running(
        lambda link: http.parcels(settings(secret=Secret("key")), link, SIGNED), seen=seen.__contains__
    ) as run:
        assert SIGNED.scheme is not None
        headers = {"X-Hub-Signature-256": signature.sign(SIGNED.scheme, "key", b"{}")}
        sent = Sent(listening(run), b"{}", headers)
        seen.add(run.next().key)
        assert sent.status() == 200
        assert Sent(listening(run), b"{}", headers).status() == 200
        assert run.link.status.refused["replayed"] == 1


def test_an_old_time_is_refused_though_its_signature_is_good() -> None:
    with running(lambda link: http.parcels(settings(secret=Secret("key")), link, TIMED)) as run:
        assert TIMED.scheme is not None
        old = str(int(time.time()) - 3600)
        refused(run, 401, "replayed", x_time=old, x_signature=signature.sign(TIMED.scheme, "key", b"{}", old))
        now = str(int(time.time()))
        headers = {"X-Time": now, "X-Signature": signature.sign(TIMED.scheme, "key", b"{}", now)}
        sent = Sent(listening(run), b"{}", headers)
        run.next()
        assert sent.status() == 200


def test_a_body_that_says_it_is_a_gigabyte_is_refused_unread(plain: Running) -> None:
    host, _, port = listening(plain).split("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        head = "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
        line.sendall(head.encode())
        assert b" 413 " in line.recv(100)
    wait_until(lambda: plain.link.status.refused["too large"] == 1)


def test_a_body_without_a_length_is_cut_at_the_limit() -> None:
    with running(lambda link: http.parcels(settings(max_body=1000), link, PLAIN)) as run:
        chunks = (b"x" * 400 for _ in range(10))
        answer = httpx.post(listening(run), content=chunks, headers=JSON, timeout=30)
        assert answer.status_code == 413


def test_a_gzip_bomb_is_refused_and_gzip_is_opened() -> None:
    with running(lambda link: http.parcels(settings(max_body=100_000), link, PLAIN)) as run:
        refused(run, 413, "too large", body=gzip.compress(b"\0" * 50_000_000), content_encoding="gzip")
        refused(run, 400, "not gzip", body=b"\x1f\x8bnonsense", content_encoding="gzip")
        sent = Sent(listening(run), gzip.compress(b'{"a":1}'), {"Content-Encoding": "gzip"})
        assert json.loads(run.next().body) == {"a": 1}
        assert sent.status() == 200


def test_bodies_that_wait_do_not_fill_the_memory() -> None:
    with running(lambda link: http.parcels(settings(max_body=9_000_000), link, PLAIN)) as run:
        url = listening(run)
        waiting = []
        for _ in range(8):  # 72 MB, of the 72 that may be held
            waiting.append(Sent(url, bytes(9_000_000), {}))
            waiting[-1].parcel = run.next(outcome=None)
        assert httpx.post(url, content=b"{}", headers=JSON, timeout=30).status_code == 503
        waiting[0].parcel.settle(Outcome.SAFE)
        assert waiting[0].status() == 200
        last = Sent(url, b"{}", {})
        run.next()
        assert last.status() == 200
        for sent in waiting[1:]:
            sent.parcel.settle(Outcome.SAFE)


def test_a_slow_body_is_given_up() -> None:
    with running(lambda link: http.parcels(settings(timeout=0.2), link, PLAIN)) as run:
        host, _, port = listening(run).split("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            head = "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            line.sendall(head.encode() + b"{")
            assert b" 408 " in line.recv(100)


def test_a_connection_that_sends_no_head_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.transports.http.HEAD_SECONDS", 0.1)
    with running(lambda link: http.parcels(settings(), link, PLAIN)) as run:
        host, _, port = listening(run).split("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            assert line.recv(100) == b""
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(b"POST /in HTTP/1.1\r\nHost:")
            assert line.recv(100) == b""
        wait_until(lambda: run.link.status.refused["too slow"] == 2)


def test_wrong_paths_methods_and_types_are_refused(plain: Running) -> None:
    url = listening(plain)
    assert httpx.post(url + "/other", headers=JSON).status_code == 404
    assert httpx.get(url).status_code == 405
    assert httpx.post(url, content=b"<a/>", headers={"Content-Type": "text/xml"}).status_code == 415


def test_one_sender_cannot_send_without_end() -> None:
    with running(lambda link: http.parcels(settings(rate=0.001), link, PLAIN)) as run:
        url = listening(run)
        first = Sent(url, b"{}", {})
        run.next()
        assert first.status() == 200
        answer = httpx.post(url, content=b"{}", headers=JSON)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_client_certificates_are_demanded(tmp_path: Path) -> None:
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = ca.issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    made = settings(certificate=tmp_path / "server.pem", client_ca=tmp_path / "ca.pem")
    with running(lambda link: http.parcels(made, link, PLAIN)) as run:
        url = listening(run)
        assert url.startswith("https://")
        good, bad = _context(ca, ca, tmp_path), _context(ca, other, tmp_path)
        sent = Sent(url, b"{}", {}, verify=good)
        run.next()
        assert sent.status() == 200
        with pytest.raises(httpx.HTTPError):
            httpx.post(url, content=b"{}", headers=JSON, verify=bad, timeout=30)


def _context(trusted: trustme.CA, issuer: trustme.CA, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    trusted.configure_trust(context)
    issuer.issue_cert("client@example.com").configure_cert(context)
    return context


def test_a_greeting_is_answered_and_goes_no_further() -> None:
    hello = http.Reception(greet=lambda body: b"welcome" if body == b'"hello"' else None)
    with running(lambda link: http.parcels(settings(), link, hello)) as run:
        answer = httpx.post(listening(run), content=b'"hello"', headers=JSON)
        assert answer.content == b"welcome"
