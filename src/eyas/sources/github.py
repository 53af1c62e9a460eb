"""GitHub: what its webhooks tell about repositories, people and pushes, and the audit log of an organisation.

https://docs.github.com/webhooks/webhook-events-and-payloads names the keys. What a webhook leaves out (the secrets in a
push, the words of a workflow) is found when it arrives and stands in the record beside it.
"""

from __future__ import annotations

from eyas.sources.card import (
    Field,
    Source,
    Time,
    concat,
    distinct,
    each,
    first,
    has,
    join,
    one_of,
    part,
    root,
    spread,
    text,
    times,
    when,
)

_FOUND = "/files/*/matches/*"
_PAGE = "/repository/html_url"
_LINKS = spread(
    root(_PAGE), text("/blob/"), root("/head_commit/id"), text("/"), "/name", text("/#L"), "/matches/*/line"
)
_PUSH = one_of("/webhook_type", "push")
_IS_PUBLIC = when(one_of(first("/repository/private", text("false")), "true"), text("false"), text("true"))
# Entries of the audit log have no repository but say, some of them, who sees it.
_SEEN = first("/visibility", "/repository_public", "/public_repo")
_IS_SEEN = when(one_of(_SEEN, "public", "true"), text("true"), text("false"))

FIELDS = (
    Field(
        "github.type",
        "text",
        first("/webhook_type", when(has("/@timestamp"), text("audit_log"))),
        "Kind of event, such as push or repository; audit_log for an entry of the audit log.",
    ),
    Field("github.action", "text", "/action", "What was done, such as created."),
    Field("github.user", "text", ("/sender/login", "/actor"), "Who did it."),
    Field("github.repo", "text", "/repository/html_url", "Address of the repository.", deprecated=True),
    Field("github.repo.url", "text", "/repository/html_url", "Address of the repository."),
    Field(
        "github.repo.name",
        "text",
        (concat(part(_PAGE, "/", 3), text("/"), part(_PAGE, "/", 4)), "/repository/full_name", "/repo"),
        "Owner and name of the repository.",
    ),
    Field("github.repo.description", "text", "/repository/description", "Description of the repository."),
    Field("github.org", "text", ("/organization/login", "/org"), "Organisation."),
    Field("github.owner", "text", "/repository/owner/login", "Owner of the repository."),
    Field(
        "github.repo.public",
        "text",
        when(has("/@timestamp"), when(has(_SEEN), _IS_SEEN), _IS_PUBLIC),
        "Whether everybody reads the repository: true, false; no value where an entry of the audit log does not say it.",
    ),
    Field(
        "github.collaborator.name",
        "text",
        ("/member/login", "/user"),
        "Collaborator that was added or removed.",
    ),
    Field("github.collaborator.role", "text", "/changes/permission/to", "New role of the collaborator."),
    Field("github.webhook.id", "text", "/hook/id", "Id of the webhook."),
    Field("github.webhook.type", "text", "/hook/type", "Kind of webhook."),
    Field("github.commit.added", "text", join(",", "/commits/*/added/*"), "Files that were added."),
    Field("github.commit.modified", "text", join(",", "/commits/*/modified/*"), "Files that were changed."),
    Field("github.commit.removed", "text", join(",", "/commits/*/removed/*"), "Files that were removed."),
    Field(
        "github.diff.has_secrets",
        "text",
        when(_PUSH, when(has(_FOUND), text("true"), when(has("/files"), text("false"), text("")))),
        "Whether a push brought secrets: true, false; empty when its diff is not known.",
    ),
    Field(
        "github.diff.committed_secrets.desc",
        "text",
        join(",", f"{_FOUND}/desc"),
        "Kinds of the secrets in a push.",
    ),
    Field(
        "github.diff.committed_secrets.files",
        "text",
        join(",", each("/files/*", times("/name", "/matches/*"))),
        "Files of the secrets in a push.",
    ),
    Field(
        "github.diff.committed_secrets.lines",
        "text",
        join(",", f"{_FOUND}/line"),
        "Lines of the secrets in a push.",
    ),
    Field(
        "github.diff.committed_secrets.links",
        "text",
        join(",", each("/files/*", _LINKS)),
        "Addresses of the secrets in a push.",
    ),
    Field(
        "github.diff.committed_secrets.shown",
        "text",
        join(",", f"{_FOUND}/shown"),
        "The secrets in a push, all but a few letters hidden.",
    ),
    Field(
        "github.workflow.has_miners",
        "text",
        when(
            has("/workflow_miner_detections/matches/0"),
            text("true"),
            when(has("/workflow_miner_detections"), text("false")),
        ),
        "Whether a workflow speaks of miners: true, false.",
    ),
    Field(
        "github.workflow.miners.type",
        "text",
        join(",", distinct("/workflow_miner_detections/matches/*/type")),
        "Miner words in a workflow.",
    ),
    Field("github.workflow.filename", "text", "/workflow/path", "File of the workflow."),
)

SOURCE = Source(
    "github",
    "GitHub webhooks and audit log",
    FIELDS,
    Time(
        (
            "/eyas/time",
            "/head_commit/timestamp",
            "/repository/updated_at",
            ("/@timestamp", "ms"),
            ("/created_at", "ms"),
        )
    ),
    identity="/eyas/id",
    info=concat(
        first("/sender/login", "/actor", text("?")), text(" "), first("/webhook_type", "/action", text("?"))
    ),
    plugin="github",
    version=(0, 10, 1),
)
