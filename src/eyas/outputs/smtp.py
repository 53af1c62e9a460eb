"""Mail: the alert as a message in text and HTML."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, in_turn, refused, retry
from eyas.delivery.http import context
from eyas.outputs.body import chat, event
from eyas.outputs.body.http import reveal
from eyas.outputs.body.markup import cut, line, to_html
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import LOWER, Items
from eyas.outputs.wire.sockets import PATIENCE, endpoint

SUBJECT = 200
POLICY = policy.SMTP.clone(cte_type="7bit")


class SmtpSettings(Settings):
    """Keys below `smtp`. Without a user nobody logs in."""

    needs = ("hostport", "from", "to")
    hostport: str
    sender: str = Field(alias="from")
    tls: bool = True
    authmechanism: Annotated[Literal["plain", "oauthbearer", "external", "anonymous", "none"], LOWER] = (
        "plain"
    )
    user: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    identity: str = ""
    trace: str = ""
    to: Items
    outputformat: Annotated[Literal["html", "text"], LOWER] = "html"
    checkcert: bool = True
    mutualtls: bool = False


def request(alert: Alert, settings: SmtpSettings) -> Request:
    """One message to all who are named."""
    head = {"from": settings.sender, "to": ",".join(settings.to)}
    return Request("MAIL", f"smtp://{settings.hostport}", head, bytes(message(alert, settings)))


def message(alert: Alert, settings: SmtpSettings) -> EmailMessage:
    """The message; its id is that of the alert, so that a repeat is shown once."""
    made = EmailMessage(policy=POLICY)
    made["From"] = settings.sender
    made["To"] = ", ".join(settings.to)
    made["Subject"] = cut(line(f"[{event.priority(alert)}] {event.output(alert)}"), SUBJECT)
    made["Date"] = formatdate(event.seconds(alert))
    made["Message-ID"] = f"<{event.identity(alert)}@eyas>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(_text(alert))
    if settings.outputformat == "html":
        made.add_alternative(_html(alert), subtype="html")
        made.set_boundary(f"eyas-{event.identity(alert)}")
    return made


def _text(alert: Alert) -> str:
    facts = [f"- {line(name)}: {line(value)}" for name, value in chat.facts(alert)]
    return "\n".join([line(event.output(alert)), "", *facts, ""])


def _html(alert: Alert) -> str:
    cell = 'style="padding:4px 12px 4px 0;vertical-align:top"'
    rows = "\n".join(
        f"<tr><td {cell}><b>{to_html(name)}</b></td><td {cell}>{to_html(value)}</td></tr>"
        for name, value in chat.facts(alert)
    )
    return (
        '<!doctype html>\n<html><body style="font-family:sans-serif">\n'
        f'<h3 style="border-left:8px solid #{chat.colour(alert)};padding-left:8px">'
        f"{to_html(event.priority(alert))}: {to_html(alert.rule)}</h3>\n"
        f"<p>{to_html(event.output(alert))}</p>\n<table>\n{rows}\n</table>\n</body></html>\n"
    )


class Link:
    """A session with the server, made anew for each batch."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self.where = endpoint(settings.hostport, 25)

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One message after the other."""
        try:
            with self._connected() as session:
                return in_turn(batch, lambda request: _mail(session, request))
        except (smtplib.SMTPException, OSError) as error:
            return [retry(_words(error)) for _ in batch]

    def close(self) -> None:
        """Nothing is held between batches."""

    def _connected(self) -> smtplib.SMTP:
        host, port = self.where
        if port == 465 and self.settings.tls:
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=PATIENCE, context=context(self.settings.trust)
            )
        else:
            session = smtplib.SMTP(host, port, timeout=PATIENCE)
            if self.settings.tls:
                session.starttls(context=context(self.settings.trust))
        try:
            self._login(session)
        except (smtplib.SMTPException, OSError):
            session.close()
            raise
        return session

    def _login(self, session: smtplib.SMTP) -> None:
        first = _first_answer(self.settings, *self.where)
        if first is not None:
            session.ehlo_or_helo_if_needed()
            session.auth(
                self.settings.authmechanism.upper(), lambda challenge=None: first if challenge is None else ""
            )


def _first_answer(settings: SmtpSettings, host: str, port: int) -> str | None:
    """What is said when logging in: RFC 4616, 7628, 4422, 4505."""
    user, kind = settings.user, settings.authmechanism
    if kind == "plain" and user:
        return f"{settings.identity}\0{user}\0{reveal(settings.password)}"
    if kind == "oauthbearer" and user:
        return f"n,a={user},\1host={host}\1port={port}\1auth=Bearer {reveal(settings.token)}\1\1"
    if kind == "external":
        return settings.identity
    return settings.trace if kind == "anonymous" else None


def _mail(session: smtplib.SMTP, request: Request) -> Answer:
    """One message. An answer of 5xx to it is for good, RFC 5321, 4.2.1."""
    try:
        session.sendmail(request.headers["from"], request.headers["to"].split(","), request.body)
        return delivered()
    except smtplib.SMTPDataError as error:
        with contextlib.suppress(smtplib.SMTPException):
            session.rset()
        return refused(_words(error)) if error.smtp_code >= 500 else retry(_words(error))
    except (smtplib.SMTPException, OSError) as error:  # those before it are delivered all the same
        return retry(_words(error))


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        return f"SMTP {error.smtp_code}: {' '.join(said.split())}"
    return f"SMTP: {error}"


def open_link(settings: SmtpSettings) -> Sender:
    """Sessions with the server."""
    return Link(settings)


OUTPUT = Output("smtp", "Mail: a message in text and HTML", SmtpSettings, request, open=open_link, batch=20)
