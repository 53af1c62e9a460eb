"""Calls of AWS and of what speaks like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from eyas.delivery import Answer, Outcome, Request, delivered, in_turn, refused, retry
from eyas.outputs.body.http import reveal
from eyas.outputs.card import Settings, library

# Errors that belong to one message; all others may be mended: rights, names, limits, the service itself.
NEVER = (
    "Invalid", "Validation", "MalformedXML", "MessageTooLong", "EntityTooLarge", "RequestEntityTooLarge", "KeyTooLong",
    "DataAlreadyAccepted", "UnsupportedMediaType", "RequestTooLarge", "PayloadTooLarge",
)  # fmt: skip
MENDABLE = ("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSecurity", "InvalidToken", "InvalidBucket")

Call = Callable[[Any, Sequence[Request]], Sequence[Answer]]


class AwsSettings(Settings):
    """Keys that stand at `aws` for all of its services."""

    shared: ClassVar[tuple[str, ...]] = (
        "accesskeyid",
        "secretaccesskey",
        "region",
        "rolearn",
        "externalid",
        "checkidentity",
    )
    service: ClassVar[str] = ""
    accesskeyid: str = ""
    secretaccesskey: SecretStr = SecretStr("")
    region: str = ""
    rolearn: str = ""
    externalid: str = ""
    checkidentity: bool = True
    endpoint: str = ""


class Link:
    """A client of one service."""

    def __init__(self, settings: AwsSettings, call: Call) -> None:
        self.boto3 = library("boto3", "aws")
        self.errors = library("botocore.exceptions", "aws")
        self.settings, self.call = settings, call
        self.client: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """The batch, by as many calls as the service needs."""
        try:
            if self.client is None:
                self.client = self._connect()
            return self.call(self.client, batch)
        except self.errors.ClientError as error:
            answer = judged(error.response)
            return [answer] * len(batch) if answer.outcome is Outcome.RETRY else self._parted(batch, answer)
        except (self.errors.BotoCoreError, OSError) as error:
            return [retry(str(error)) for _ in batch]

    def _parted(self, batch: Sequence[Request], answer: Answer) -> list[Answer]:
        """Half by half: a call that is too long, or spans too many hours, is no fault of its messages."""
        if len(batch) == 1:
            return [answer]
        middle = len(batch) // 2
        first = list(self.send(batch[:middle]))
        if first[-1].outcome is Outcome.RETRY:
            return first + [first[-1]] * (len(batch) - middle)
        return first + list(self.send(batch[middle:]))

    def close(self) -> None:
        """Let go of the connections."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def _connect(self) -> Any:
        session = self._session()
        if self.settings.checkidentity and not self.settings.endpoint:
            session.client("sts").get_caller_identity()
        timeouts = {"connect_timeout": 10, "read_timeout": 30, "retries": {"total_max_attempts": 2}}
        config = library("botocore.config", "aws").Config(
            **timeouts, request_checksum_calculation="when_required"
        )
        return session.client(
            self.settings.service, config=config, endpoint_url=self.settings.endpoint or None
        )

    def _session(self) -> Any:
        settings = self.settings
        keys = {
            "aws_access_key_id": settings.accesskeyid,
            "aws_secret_access_key": reveal(settings.secretaccesskey),
        }
        session = self.boto3.Session(
            region_name=settings.region or None, **(keys if all(keys.values()) else {})
        )
        return self._assumed(session) if settings.rolearn else session

    def _assumed(self, session: Any) -> Any:
        """The same with the credentials of a role, renewed before they end."""

        def renew() -> dict[str, str]:
            external = {"ExternalId": self.settings.externalid} if self.settings.externalid else {}
            found = session.client("sts").assume_role(
                RoleArn=self.settings.rolearn, RoleSessionName="eyas", **external
            )["Credentials"]
            return {
                "access_key": found["AccessKeyId"],
                "secret_key": found["SecretAccessKey"],
                "token": found["SessionToken"],
                "expiry_time": found["Expiration"].isoformat(),
            }

        inner = library("botocore.session", "aws").get_session()
        kind = library("botocore.credentials", "aws").RefreshableCredentials
        inner._credentials = kind.create_from_metadata(renew(), renew, "sts-assume-role")
        region = self.settings.region or session.region_name
        return self.boto3.Session(botocore_session=inner, region_name=region)


def one_by_one(call: Callable[[Any, Request], object]) -> Call:
    """A call for each message; what one of them is answered does not touch the others."""

    errors = library("botocore.exceptions", "aws")

    def answered(client: Any, request: Request) -> Answer:
        try:
            call(client, request)
        except errors.ClientError as error:
            return judged(error.response)
        except (errors.BotoCoreError, OSError) as error:
            return retry(str(error))
        return delivered()

    return lambda client, batch: in_turn(batch, lambda request: answered(client, request))


def judged(response: Any) -> Answer:
    """The meaning of an error of AWS."""
    error = response.get("Error", {})
    code = str(error.get("Code", ""))
    reason = f"{code}: {error.get('Message', '')}"
    return refused(reason) if code.startswith(NEVER) and not code.startswith(MENDABLE) else retry(reason)
