"""Streams and mail take the alerts for real: rsyslog over UDP, TCP and TLS, lines over TCP, SMTP with STARTTLS."""

import dataclasses
import email
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from tests.outputs.cases import ALERT
from tests.outputs.servers import Certificates, certificates, deliver, free_port, server, settled
from tests.outputs.test_hostile import WORST

OTHER = dataclasses.replace(ALERT, rule="Second rule", eyas={"id": "second"})
HOSTILE = dataclasses.replace(WORST, ts=ALERT.ts)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@dataclasses.dataclass(frozen=True)
class Rsyslog:
    udp: int
    tcp: int
    tls: int
    log: Path

    def lines(self, count: int) -> list[str]:
        settled(lambda: self.log.exists() and len(self.log.read_text().splitlines()) >= count, 20)
        found = self.log.read_text().splitlines()
        self.log.write_text("")
        assert len(found) == count
        return found


@pytest.fixture(scope="module")
def rsyslog(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyslog]:
    folder = tmp_path_factory.mktemp("rsyslog")
    made = Rsyslog(free_port(socket.SOCK_DGRAM), free_port(), free_port(), folder / "alerts.log")
    secure = Path("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so").exists()
    tls = f"""
    global(DefaultNetstreamDriverCAFile="{files.authority}"
           DefaultNetstreamDriverCertFile="{files.server_cert}" DefaultNetstreamDriverKeyFile="{files.server_key}")
    input(type="imtcp" address="127.0.0.1" port="{made.tls}" streamDriver.name="gtls" streamDriver.mode="1"
          streamDriver.authMode="x509/certvalid")
    """
    (folder / "r.conf").write_text(
        f"""
    global(workDirectory="{folder}" maxMessageSize="256k")
    module(load="imudp")
    module(load="imtcp")
    input(type="imudp" address="127.0.0.1" port="{made.udp}")
    input(type="imtcp" address="127.0.0.1" port="{made.tcp}")
    {tls if secure else ""}
    template(name="all" type="string" string="%pri% %app-name% %hostname% %timestamp:::date-rfc3339% %msg%\\n")
    *.* action(type="omfile" file="{made.log}" template="all" asyncWriting="off")
    """
    )
    command = ["rsyslogd", "-n", "-f", str(folder / "r.conf"), "-i", str(folder / "pid")]
    with server(command, made.tcp, folder):
        yield made if secure else dataclasses.replace(made, tls=0)


def test_rsyslog_takes_datagrams_of_json(rsyslog: Rsyslog) -> None:
    values = {"host": "127.0.0.1", "port": rsyslog.udp, "protocol": "udp"}
    assert deliver("syslog", values, [ALERT]) == [delivered()]
    (line,) = rsyslog.lines(1)
    number, name, host, when, message = line.split(" ", 4)
    assert (number, name, host) == ("10", "Falco", "node-7")
    assert when == "2023-11-14T22:13:20.123456Z"
    assert json.loads(message) == json.loads(event.event_json(ALERT))
    long = dataclasses.replace(ALERT, message="x" * 70_000)
    assert deliver("syslog", values, [long]) == [delivered()]
    (cut,) = rsyslog.lines(1)
    assert json.loads(cut.split(" ", 4)[4])["eyas"]["cut"] == ["output"]


@pytest.mark.parametrize("framing", ["lines", "octets"])
def test_rsyslog_takes_cef_over_tcp_and_no_alert_is_two(rsyslog: Rsyslog, framing: str) -> None:
    values = {
        "host": "127.0.0.1",
        "port": rsyslog.tcp,
        "protocol": "tcp",
        "format": "cef",
        "framing": framing,
    }
    assert deliver("syslog", values, [ALERT, HOSTILE, OTHER]) == [delivered()] * 3
    first, second, third = rsyslog.lines(3)
    assert "CEF:0|Falcosecurity|Falco|1.0|Falco Event|Write below etc|8|" in first
    assert all(line.startswith("10 Falco ") for line in (first, second, third))


def test_rsyslog_takes_messages_over_tls_of_whom_it_knows(rsyslog: Rsyslog, files: Certificates) -> None:
    if not rsyslog.tls:
        pytest.skip("rsyslog-gnutls is not installed; see .ci/test-servers")
    from eyas.outputs.settings import load

    section = {"host": "localhost", "port": rsyslog.tls, "protocol": "tls", "mutualtls": True}
    above = {key: str(value) for key, value in files.client.items() if key != "mutualtls"}
    (one,) = load({"mutualtlsclient": above, "syslog": section}, {}).enabled
    assert one.output.open is not None
    sender = one.output.open(one.settings)
    assert sender is not None
    assert sender.send([one.output.request(ALERT, one.settings)]) == [delivered()]
    sender.close()
    (line,) = rsyslog.lines(1)
    assert line.startswith("10 Falco node-7 ")
    stranger = section | {"mutualtls": False, "checkcert": True}
    assert deliver("syslog", stranger, [ALERT])[0].outcome is Outcome.RETRY


class Lines(socketserver.ThreadingTCPServer):
    """Keeps the lines it is sent."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.found: list[bytes] = []
        kept, context = self.found, tls

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                if context is not None:
                    self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self) -> None:
                for line in self.rfile:
                    kept.append(line)

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


def test_logstash_takes_lines_over_tls_with_a_client_certificate(files: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.authority)
    context.load_cert_chain(files.server_cert, files.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    with Lines(context) as lines:
        values = {"address": "localhost", "port": lines.server_address[1], "tags": "a,b", **files.client}
        assert deliver("logstash", values, [ALERT, HOSTILE]) == [delivered()] * 2
        settled(lambda: len(lines.found) == 2)
        first, second = map(json.loads, lines.found)
        assert first["output_fields"]["proc.aname.2"] == "containerd-shim" and first["tags"][-2:] == [
            "a",
            "b",
        ]
        assert second["rule"] == HOSTILE.rule
        lines.shutdown()


def test_a_stream_that_was_closed_is_opened_again_and_one_that_is_away_is_asked_later() -> None:
    from eyas.outputs.card import find
    from eyas.outputs.settings import settings_of
    from eyas.outputs.wire.sockets import Stream
    from tests.outputs.cases import CASES

    card = find("logstash")
    request = card.request(ALERT, settings_of(card, CASES["logstash"][""]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = Stream("127.0.0.1", listener.getsockname()[1])
        for _ in range(2):
            assert stream.send([request, request]) == [delivered()] * 2
            link, _address = listener.accept()
            with link:
                assert len(link.recv(1 << 20)) > 0
        port = listener.getsockname()[1]
    stream.close()
    assert Stream("127.0.0.1", port).send([request])[0].outcome is Outcome.RETRY


def test_statsd_and_wavefront_reach_their_proxies() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        link.settimeout(10)
        where = f"127.0.0.1:{link.getsockname()[1]}"
        assert deliver("statsd", {"forwarder": where}, [ALERT]) == [delivered()]
        assert b"falcosidekick.falco.critical:1|c" in link.recv(65536)
        assert deliver("dogstatsd", {"forwarder": where}, [HOSTILE]) == [delivered()]
        assert link.recv(65536).count(b"|c") == 2
    with Lines() as lines:
        values = {
            "endpointtype": "proxy",
            "endpointhost": "127.0.0.1",
            "endpointmetricport": lines.server_address[1],
        }
        assert deliver("wavefront", values, [ALERT, HOSTILE]) == [delivered()]
        settled(lambda: len(lines.found) == 2)
        lines.shutdown()


class Mailbox:
    """Keeps mail; turns away whoever writes to `nobody`."""

    def __init__(self) -> None:
        self.found: list[bytes] = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # type: ignore[no-untyped-def]  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # type: ignore[no-untyped-def]  # noqa: N802
        if b"Second rule" in envelope.content:
            return "554 not wanted here"
        if b"Third rule" in envelope.content:
            return "451 come back later"
        self.found.append(envelope.content)
        return "250 OK"


def login(_server, _session, _envelope, mechanism, data):  # type: ignore[no-untyped-def]
    return AuthResult(
        handled=False, success=mechanism == "PLAIN" and (data.login, data.password) == (b"falco", b"secret")
    )


@pytest.fixture
def mail(files: Certificates) -> Iterator[tuple[Mailbox, int]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server_cert, files.server_key)
    box, port = Mailbox(), free_port()
    controller = Controller(
        box,
        "127.0.0.1",
        port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=login,
    )
    controller.start()
    yield box, port
    controller.stop()


def test_mail_arrives_over_starttls_with_a_login(mail: tuple[Mailbox, int], files: Certificates) -> None:
    box, port = mail
    values: dict[str, object] = {
        "hostport": f"localhost:{port}",
        "from": "falco@example.org",
        "to": "soc@example.org, it@example.org",
        "user": "falco",
        "password": "secret",
    }
    from eyas.outputs.settings import load

    (one,) = load({"tlsclient": {"cacertfile": files.authority}, "smtp": values}, {}).enabled
    assert one.output.open is not None
    sender = one.output.open(one.settings)
    assert sender is not None
    alerts = [ALERT, OTHER, HOSTILE]
    answers = sender.send([one.output.request(alert, one.settings) for alert in alerts])
    assert [answer.outcome.value for answer in answers] == ["delivered", "refused", "delivered"]
    first, second = (email.message_from_bytes(body, policy=policy.SMTP) for body in box.found)
    assert first["Subject"].startswith("[Critical] 22:13:20.123456789: Critical File below /etc")
    assert first["To"] == "soc@example.org, it@example.org"
    assert "proc.cmdline" in first.get_body(("html",)).get_content()
    assert second["Bcc"] is None and "<script" not in second.get_body(("html",)).get_content()
    (wrong,) = load(
        {"tlsclient": {"cacertfile": files.authority}, "smtp": values | {"password": "x"}}, {}
    ).enabled
    assert wrong.output.open is not None
    (answer,) = wrong.output.open(wrong.settings).send([one.output.request(ALERT, one.settings)])  # type: ignore[union-attr]
    assert answer.outcome is Outcome.RETRY and "535" in answer.reason
    (answer,) = deliver("smtp", values, [ALERT])
    assert answer.outcome is Outcome.RETRY and "certificate" in answer.reason.lower()


def test_mail_behind_one_that_has_to_come_back_waits_and_what_was_taken_is_not_sent_again(
    mail: tuple[Mailbox, int],
) -> None:
    box, port = mail
    values = {"hostport": f"localhost:{port}", "from": "falco@example.org", "to": "soc@example.org"}
    values |= {"user": "falco", "password": "secret", "checkcert": False}
    later = dataclasses.replace(ALERT, rule="Third rule")
    answers = deliver("smtp", values, [ALERT, later, HOSTILE])
    assert [answer.outcome.value for answer in answers] == ["delivered", "retry", "retry"]
    assert len(box.found) == 1
