"""Clients for AWS: whose credentials, which role, which region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from eyas.errors import PassingError, RunError, UsageError

T = TypeVar("T")

PASSING = frozenset(
    ("InternalError", "InternalFailure", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
     "RequestTimeout", "ServiceUnavailable", "ServiceUnavailableException", "SlowDown", "Throttling",
     "ThrottlingException", "TooManyRequestsException", "500", "502", "503", "504")
)  # fmt: skip
EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"))


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose AWS. Without a profile the usual places are searched: environment, files, the machine's role."""

    region: Annotated[str, "Region, such as eu-central-1."] = ""
    profile: Annotated[str, "Profile of the AWS configuration."] = ""
    role: Annotated[str, "Role to assume, as ARN."] = ""
    external_id: Annotated[str, "External id that the role demands."] = ""
    endpoint: Annotated[str, "Other address of the service, for private endpoints."] = ""


def client(service: str, account: Account) -> Any:
    """A client of a service."""
    import boto3
    import botocore.config
    import botocore.exceptions

    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": 2},
        connect_timeout=10,
        read_timeout=40,
        max_pool_connections=16,
    )
    try:
        session = _session(boto3, account)
        return session.client(service, endpoint_url=account.endpoint or None, config=config)
    except botocore.exceptions.BotoCoreError as error:
        raise UsageError(f"aws: {error}") from None


def _session(boto3: Any, account: Account) -> Any:
    session = boto3.Session(profile_name=account.profile or None, region_name=account.region or None)
    if not account.role:
        return session
    import botocore.credentials
    import botocore.session

    extra = {"RoleSessionName": "eyas"} | ({"ExternalId": account.external_id} if account.external_id else {})
    fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
        client_creator=_creator(session, account),
        source_credentials=session.get_credentials(),
        role_arn=account.role,
        extra_args=extra,
    )
    assumed = botocore.session.get_session()
    assumed._credentials = botocore.credentials.DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=assumed, region_name=account.region or session.region_name)


def _creator(session: Any, account: Account) -> Callable[..., Any]:
    def create(service: str, **kwargs: Any) -> Any:
        kwargs.setdefault("region_name", account.region or session.region_name)
        return session._session.create_client(service, endpoint_url=account.endpoint or None, **kwargs)

    return create


def call(work: Callable[..., T], **kwargs: Any) -> T:
    """Call a method of a client; failures become ours, by whether they pass."""
    import botocore.exceptions

    try:
        return work(**kwargs)
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in PASSING or code in EXPIRED:
            raise PassingError(f"aws: {code}") from None
        raise RunError(f"aws: {error}", "see `eyas sources policy` for the rights it needs") from None
    except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
        raise PassingError(f"aws: {error}") from None
    except botocore.exceptions.BotoCoreError as error:
        raise RunError(f"aws: {error}") from None
