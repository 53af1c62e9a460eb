"""Falco's plugins whose services Eyas reads itself: their `init_config` and `open_params` as sections of `sources`."""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from eyas.config import Settings
from eyas.config.schema import Plugin
from eyas.errors import UsageError
from eyas.sources.reach import moment
from eyas.transports.http import address, is_loopback

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


@dataclass(frozen=True, slots=True)
class Moved:
    """Settings without those plugins, with their sources instead; what to tell about it, and to warn of."""

    settings: Settings
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def moved(settings: Settings) -> Moved:
    """Read with sources of Eyas what plugins of Falco would read. What `sources` says already counts more."""
    load = settings.load_plugins
    chosen = [one for one in settings.plugins if load is None or one.name in load]
    ours = {one.name: one for one in chosen if one.name in READERS}
    known = {str(s.get("source", n)) if isinstance(s, dict) else n for n, s in settings.sources.items()}
    sections: dict[str, Any] = {}
    said: list[str] = []
    warnings: list[str] = []
    for name, entry in ours.items():
        source = READERS[name][0]
        if source in known:
            said.append(f"plugin {name}: 'sources' says how {source} is read")
            continue
        found = _section(entry)
        warnings += found.warnings
        if found.section:
            sections[name] = {"source": source, **found.section}
            said.append(
                f"plugin {name}: Eyas reads {source} itself, via {found.section['via']}; its library is not loaded"
            )
    changes = {
        "sources": {**settings.sources, **sections},
        "plugins": [one for one in settings.plugins if one.name not in ours],
        "load_plugins": None if load is None else [one for one in load if one not in ours],
    }
    return Moved(settings.model_copy(update=changes), tuple(said), tuple(warnings))


@dataclass(frozen=True, slots=True)
class Section:
    """A section of `sources`; empty when nothing can be read."""

    section: dict[str, Any]
    warnings: tuple[str, ...] = ()


def _section(entry: Plugin) -> Section:
    config = _config(entry)
    notes = []
    try:
        made = READERS[entry.name][1](config, entry.open_params)
    except KeyError as error:
        raise UsageError(f"plugin {entry.name}: init_config lacks {error}") from None
    except UnreadableError as error:  # before its kind, ValueError
        return Section({}, (f"plugin {entry.name}: {error}",))
    except ValueError as error:
        raise UsageError(f"plugin {entry.name}: open_params or init_config: {str(error).lower()}") from None
    asked = made.get("listen")
    if asked and entry.name not in SIGNED and not is_loopback(address(asked)[0]):
        made["listen"] = f"127.0.0.1:{address(asked)[1]}"
        notes.append(
            f"plugin {entry.name}: {entry.open_params} asks for no authentication, so only this machine may post, to "
            f"{made['listen']}; configure {READERS[entry.name][0]} in 'sources' with a token or client_ca for others"
        )
    if config:
        notes.append(f"plugin {entry.name}: no effect here: init_config {', '.join(sorted(config))}")
    return Section({key: value for key, value in made.items() if value not in (None, "")}, tuple(notes))


class UnreadableError(ValueError):
    """What `open_params` names is nothing that Eyas reads for this plugin."""


def _config(entry: Plugin) -> dict[str, Any]:
    config = entry.init_config or {}
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except (ValueError, RecursionError):
            raise UsageError(f"plugin {entry.name}: init_config is not JSON") from None
    if not isinstance(config, dict):
        raise UsageError(f"plugin {entry.name}: init_config is not a mapping")
    return dict(config)


def _needed(opened: str, what: str) -> str:
    if not opened:
        raise UnreadableError(f"open_params is empty, expected {what}; nothing is read")
    return opened


# Each reads `open_params` and takes what it understands out of `init_config`.


def _k8saudit(config: dict[str, Any], opened: str) -> dict[str, Any]:
    line, batch = config.pop("maxEventSize", None), config.pop("webhookMaxBatchSize", None)
    certificate = config.pop("sslCertificate", "/etc/falco/falco.pem")
    url = urllib.parse.urlsplit(_needed(opened, "an address, a file or a folder"))
    if url.scheme in ("http", "https"):
        port = url.port or (443 if url.scheme == "https" else 80)
        return {
            "via": "http",
            "listen": f"{url.netloc.rpartition(':')[0] if url.port else url.netloc}:{port}",
            "path": url.path or "/",
            "certificate": certificate if url.scheme == "https" else None,
            "max_body": batch,
        }
    follow = url.scheme == "file"
    path = opened.removeprefix("file://")
    return {"via": "file", "path": path, "follow": follow, "max_line": line}


def _eks(config: dict[str, Any], opened: str) -> dict[str, Any]:
    return {
        "via": "eks",
        "cluster": _needed(opened, "the name of a cluster"),
        "profile": config.pop("profile", None),
        "region": config.pop("region", None),
        "interval": _seconds(config.pop("polling_interval", None)),
    }


def _pubsub(via: str) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    def read(config: dict[str, Any], opened: str) -> dict[str, Any]:
        if opened.startswith("file://"):
            raise UnreadableError(f"{opened} is not read; `eyas replay` reads files")
        return {
            "via": via,
            "subscription": _needed(opened, "the name of a subscription"),
            "project": config.pop("project_id"),
            "credentials": config.pop("credentials_file", None),
            "most": config.pop("max_outstanding_messages", None),
        }

    return read


def _aks(config: dict[str, Any], _: str) -> dict[str, Any]:
    return {
        "via": "aks",
        "connection": config.pop("event_hub_namespace_connection_string"),
        "hub": config.pop("event_hub_name"),
    }


def _cloudtrail(config: dict[str, Any], opened: str) -> dict[str, Any]:
    account = dict(config.pop("aws", None) or {})
    reached = {"region": account.pop("region", None), "profile": account.pop("profile", None)}
    config |= {f"aws.{key}": value for key, value in account.items() if value}
    owner, interval = config.pop("sqsOwnerAccount", None), config.pop("s3Interval", None)
    config.pop("useS3SNS", None)  # a queue's messages say themselves what they are
    scheme, _, rest = _needed(opened, "a folder, s3://BUCKET/PREFIX or sqs://QUEUE").partition("://")
    if scheme == "sqs" and rest:
        return {"via": "sqs", "queue": rest, "owner": owner, **reached}
    if scheme == "s3" and rest:
        bucket, _, prefix = rest.partition("/")
        return {"via": "s3", "bucket": bucket, "prefix": prefix, "since": _since(interval), **reached}
    return {"via": "files", "path": opened.removeprefix("file://")}


def _github(config: dict[str, Any], opened: str) -> dict[str, Any]:
    folder = Path(config.pop("secretsDir", None) or "~/.ghplugin").expanduser()
    url = urllib.parse.urlsplit(config.pop("websocketServerURL"))
    secure = config.pop("useHTTPs", (folder / "server.crt").exists())
    found = "GITHUB_PLUGIN_TOKEN"
    token = {"env": found} if os.environ.get(found) else {"file": str(folder / "github.token")}
    return {
        "via": "http",
        "listen": f"0.0.0.0:{443 if secure else 80}",
        "path": url.path or "/",
        "public_url": urllib.parse.urlunsplit(url),
        "repositories": list(_repositories(_needed(opened, "* or a list of OWNER/NAME"))),
        "api_token": token,
        "certificate": str(folder / "server.crt") if secure else None,
        "key": str(folder / "server.key") if secure else None,
    }


def _repositories(opened: str) -> Iterator[str]:
    for one in filter(None, re.split(r"[,\s]+", opened)):
        yield one.removeprefix("https://github.com/")


def _okta(config: dict[str, Any], _: str) -> dict[str, Any]:
    organization = str(config.pop("organization"))
    return {
        "via": "poll",
        "domain": organization if "." in organization else f"{organization}.okta.com",
        "token": config.pop("api_token"),
        "interval": _seconds(config.pop("refresh_interval", None)),
    }


def _seconds(given: Any) -> float | None:
    """Seconds of a number or of text such as 5s."""
    return None if given is None else float(str(given).removesuffix("s"))


def _since(given: Any) -> str:
    """The day on which a range begins: `5d`, or a moment and perhaps another."""
    found = re.fullmatch(r"(\d+)([mhdw])", str(given or ""))
    if found is None:
        return str(given or "")[:10]
    return str((moment.now() - timedelta(seconds=int(found[1]) * _UNITS[found[2]])).date())


READERS: dict[str, tuple[str, Callable[[dict[str, Any], str], dict[str, Any]]]] = {
    "k8saudit": ("k8s_audit", _k8saudit),
    "k8saudit-eks": ("k8s_audit", _eks),
    "k8saudit-gke": ("k8s_audit", _pubsub("gke")),
    "k8saudit-aks": ("k8s_audit", _aks),
    "cloudtrail": ("aws_cloudtrail", _cloudtrail),
    "github": ("github", _github),
    "okta": ("okta", _okta),
    "gcpaudit": ("gcp_auditlog", _pubsub("pubsub")),
}
# Their service signs what it posts.
SIGNED = ("github",)
