"""TimescaleDB and PostgreSQL: the alert as a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, refused, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import part, reveal
from eyas.outputs.card import WHOLE, Output, Settings, library
from eyas.outputs.values import Map

PATIENCE = 10


class TimescaleSettings(Settings):
    """Keys below `timescaledb`."""

    needs = ("host",)
    shared = ("customfields", "templatedfields")
    host: str
    port: int = 5432
    user: str = "postgres"
    password: SecretStr = SecretStr("postgres")
    database: str = "falcosidekick"
    hypertablename: str = "falcosidekick_events"
    customfields: Map = {}
    templatedfields: Map = {}
    checkcert: bool = True
    mutualtls: bool = False


def request(alert: Alert, settings: TimescaleSettings) -> Request:
    """One row, as columns and values."""
    found = event.texts(alert)
    row: dict[str, str] = {
        "time": event.timestamp(alert),
        "rule": alert.rule,
        "priority": event.priority(alert),
        "source": event.source(alert),
        "output": event.output(alert),
        "tags": ",".join(event.tags(alert)),
        "hostname": alert.hostname,
    }
    more = [*settings.customfields, *settings.templatedfields]
    row = {name: found[name] for name in more if name in found} | row
    # PostgreSQL has no NUL in text.
    body = event.encode({key: event.plain(value).replace("\0", "\\0") for key, value in row.items() if value})
    url = f"postgresql://{settings.host}:{settings.port}/{part(settings.database)}"
    return Request("INSERT", url, {"table": settings.hypertablename}, body)


class Link:
    """A connection."""

    def __init__(self, settings: TimescaleSettings) -> None:
        self.psycopg = library("psycopg", "postgres")
        self.settings = settings
        self.link: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All rows in one transaction; if one of them does not fit, each in its own."""
        try:
            link = self._connected()
            try:
                with link.transaction(), link.pipeline():
                    for request in batch:
                        self._insert(link, request)
                return [delivered() for _ in batch]
            except (
                self.psycopg.DataError,
                self.psycopg.IntegrityError,
                self.psycopg.ProgrammingError,
            ) as error:
                return [self._alone(link, r) for r in batch] if len(batch) > 1 else [self._failed(error)]
        except self.psycopg.Error as error:
            self.close()
            return [retry(" ".join(str(error).split())) for _ in batch]

    def close(self) -> None:
        """Hang up."""
        if self.link is not None:
            self.link.close()
            self.link = None

    def _connected(self) -> Any:
        if self.link is None or self.link.closed:
            options = _options(self.settings)
            self.link = self.psycopg.connect(autocommit=True, connect_timeout=PATIENCE, **options)
        return self.link

    def _alone(self, link: Any, request: Request) -> Answer:
        try:
            with link.transaction():
                self._insert(link, request)
            return delivered()
        except (self.psycopg.DataError, self.psycopg.IntegrityError, self.psycopg.ProgrammingError) as error:
            return self._failed(error)

    def _failed(self, error: Exception) -> Answer:
        """A value that does not fit never will; a table or column that is missing can be made."""
        reason = " ".join(str(error).split())
        return retry(reason) if isinstance(error, self.psycopg.ProgrammingError) else refused(reason)

    def _insert(self, link: Any, request: Request) -> None:
        sql = self.psycopg.sql
        row = orjson.loads(request.body)
        # Names are folded to small letters, as PostgreSQL does with those that are not quoted.
        table = sql.Identifier(*request.headers["table"].lower().split("."))
        columns = sql.SQL(", ").join(sql.Identifier(name.lower()) for name in row)
        values = sql.SQL(", ").join(sql.Placeholder() for _ in row)
        link.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, columns, values), list(row.values())
        )


def _options(settings: TimescaleSettings) -> dict[str, Any]:
    trust = settings.trust
    mode = "verify-full" if trust.ca_file and trust.check else "prefer"
    files = {"sslrootcert": trust.ca_file, "sslcert": trust.cert_file, "sslkey": trust.key_file}
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": reveal(settings.password),
        "dbname": settings.database,
        "sslmode": mode,
        **{name: path for name, path in files.items() if path},
    }


def open_link(settings: TimescaleSettings) -> Sender:
    """A connection."""
    return Link(settings)


OUTPUT = Output(
    "timescaledb",
    "TimescaleDB and PostgreSQL: a row",
    TimescaleSettings,
    request,
    open=open_link,
    batch=200,
    libraries={"psycopg": "postgres"},
    largest=WHOLE,
)
