"""Redis: the alert at the end of a list, or in a hash under its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, refused, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal
from eyas.outputs.body.markup import header
from eyas.outputs.card import WHOLE, Output, Settings, library
from eyas.outputs.values import LOWER
from eyas.outputs.wire.sockets import PATIENCE, endpoint

# Errors that another try mends: the server loads, fails over, is full or asks for other credentials.
LATER = (
    "LOADING",
    "READONLY",
    "OOM",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "TRYAGAIN",
    "BUSY",
    "NOAUTH",
    "NOPERM",
    "WRONGPASS",
)


class RedisSettings(Settings):
    """Keys below `redis`."""

    needs = ("address",)
    ignored = ("maxconcurrentrequests",)  # one connection carries a whole batch
    address: str
    username: str = ""
    password: SecretStr = SecretStr("")
    database: int = 0
    storagetype: Annotated[Literal["list", "hashmap"], LOWER] = "list"
    key: str = "falco"
    tls: bool = False
    mutualtls: bool = False
    checkcert: bool = True
    certfile: str = ""
    keyfile: str = ""
    cacertfile: str = ""


def request(alert: Alert, settings: RedisSettings) -> Request:
    """One command."""
    url = f"redis://{settings.address}/{settings.database}"
    head = {"key": header(settings.key)}
    if settings.storagetype == "hashmap":
        return Request("HSET", url, head | {"field": event.identity(alert)}, event.event_json(alert))
    return Request("RPUSH", url, head, event.event_json(alert))


class Link:
    """A connection; the library mends it."""

    def __init__(self, settings: RedisSettings) -> None:
        self.redis = library("redis", "redis")
        self.key = settings.key
        self.client = _client(self.redis, settings)

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All commands in one go, each with its own answer."""
        pipe = self.client.pipeline(transaction=False)
        for request in batch:
            field = [request.headers["field"]] if request.method == "HSET" else []
            pipe.execute_command(request.method, self.key, *field, request.body)
        try:
            return [self._answer(reply) for reply in pipe.execute(raise_on_error=False)]
        except (self.redis.RedisError, OSError) as error:
            return [self._answer(error) for _ in batch]

    def _answer(self, reply: Any) -> Answer:
        if not isinstance(reply, Exception):
            return delivered()
        wrong = isinstance(reply, self.redis.ResponseError) and not isinstance(
            reply, self.redis.ConnectionError
        )
        if wrong and not str(reply).upper().startswith(LATER):
            return refused(str(reply))
        return retry(str(reply))

    def close(self) -> None:
        """Hang up."""
        self.client.close()


def _client(redis: Any, settings: RedisSettings) -> Any:
    host, port = endpoint(settings.address.removeprefix("redis://").removeprefix("rediss://"), 6379)
    trust, secure = (
        settings.trust,
        settings.tls or settings.mutualtls or settings.address.startswith("rediss://"),
    )
    tls = {
        "ssl": True,
        "ssl_cert_reqs": "required" if trust.check else "none",
        "ssl_check_hostname": trust.check,
        "ssl_ca_certs": trust.ca_file,
        "ssl_certfile": trust.cert_file,
        "ssl_keyfile": trust.key_file,
    }
    return redis.Redis(
        host=host,
        port=port,
        db=settings.database,
        username=settings.username or None,
        password=reveal(settings.password) or None,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=library("redis.retry", "redis").Retry(library("redis.backoff", "redis").NoBackoff(), 0),
        **(tls if secure else {}),
    )


def open_link(settings: RedisSettings) -> Sender:
    """One connection."""
    return Link(settings)


OUTPUT = Output(
    "redis",
    "Redis: the alert in a list or hash",
    RedisSettings,
    request,
    open=open_link,
    batch=500,
    libraries={"redis": "redis"},
    largest=WHOLE,
)
