"""What services write down about the requests they take: strict models, and the errors they answer with.

A model refuses what it does not name. Each class cites the page it was read from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from eyas.delivery import Outcome

RETRY, REFUSED, DELIVERED = Outcome.RETRY, Outcome.REFUSED, Outcome.DELIVERED
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
Bare = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f-]{27}$")]
Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")]


class Strict(BaseModel):
    """Takes what it names and no more."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AttachmentField(Strict):
    """https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments"""

    title: str
    value: str
    short: bool


class SlackAttachment(Strict):
    """The same page; `blocks` instead of the rest in the newer form."""

    color: Colour
    fallback: str
    text: str = ""
    fields: list[AttachmentField] = []
    footer: str = ""
    blocks: list[dict[str, Any]] = Field(default=[], max_length=50)


class Slack(Strict):
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

    text: str = ""
    username: str = ""
    icon_url: str = ""
    channel: str = ""
    attachments: list[SlackAttachment] = Field(max_length=100)


class Block(Strict):
    """An element of a card, https://adaptivecards.io/explorer/"""

    type: Literal["TextBlock", "FactSet"]
    text: str = ""
    wrap: bool = False
    weight: Literal["", "Bolder"] = ""
    size: Literal["", "Medium"] = ""
    color: Literal["", "default", "accent", "good", "warning", "attention"] = ""
    facts: list[dict[Literal["title", "value"], str]] = []


class Card(Strict):
    """https://adaptivecards.io/explorer/AdaptiveCard.html"""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)
    schema_: Literal["http://adaptivecards.io/schemas/adaptive-card.json"] = Field(alias="$schema")
    type: Literal["AdaptiveCard"]
    version: Literal["1.4"]
    msteams: dict[str, str]
    body: list[Block]


class TeamsAttachment(Strict):
    """https://learn.microsoft.com/connectors/teams#microsoft-teams-webhook"""

    contentType: Literal["application/vnd.microsoft.card.adaptive"]
    contentUrl: None
    content: Card


class Teams(Strict):
    """The same page."""

    type: Literal["message"]
    attachments: list[TeamsAttachment] = Field(min_length=1, max_length=1)


class EmbedField(Strict):
    """https://docs.discord.com/developers/resources/message#embed-object"""

    name: str = Field(min_length=1, max_length=256)
    value: str = Field(min_length=1, max_length=1024)
    inline: bool


class Embed(Strict):
    """The same page."""

    title: str = Field(max_length=256)
    url: str
    description: str = Field(max_length=4096)
    color: int = Field(ge=0, le=0xFFFFFF)
    fields: list[EmbedField] = Field(max_length=25)


class Discord(Strict):
    """https://docs.discord.com/developers/resources/webhook#execute-webhook"""

    content: str = Field(max_length=2000)
    avatar_url: str = ""
    embeds: list[Embed] = Field(max_length=10)
    allowed_mentions: dict[Literal["parse"], list[str]]


class GoogleChat(Strict):
    """https://developers.google.com/workspace/chat/api/reference/rest/v1/cards-v1"""

    text: str = ""
    cards: list[
        dict[
            Literal["sections"],
            list[
                dict[
                    Literal["widgets"],
                    list[dict[Literal["keyValue"], dict[Literal["topLabel", "content"], str]]],
                ]
            ],
        ]
    ] = []


class Cliq(Strict):
    """https://www.zoho.com/cliq/help/restapi/v2/#Message_Cards"""

    text: str = Field(min_length=1, max_length=5000)
    bot: dict[Literal["name", "image"], str]
    slides: list[dict[str, Any]] = []


class Telegram(Strict):
    """https://core.telegram.org/bots/api#sendmessage"""

    text: str = Field(min_length=1, max_length=4096)
    parse_mode: Literal["MarkdownV2"]
    disable_web_page_preview: bool
    chat_id: str
    message_thread_id: int = 1


class Gotify(Strict):
    """https://gotify.net/api-docs#/message/createMessage"""

    title: str
    message: str = Field(min_length=1)
    priority: int = Field(ge=0, le=10)
    extras: dict[
        Literal["client::display"], dict[Literal["contentType"], Literal["text/markdown", "text/plain"]]
    ]


class DatadogEvent(Strict):
    """https://docs.datadoghq.com/api/latest/events/#post-an-event-v1"""

    title: str = Field(max_length=500)
    text: str = Field(max_length=4000)
    alert_type: Literal["error", "warning", "info"]
    source_type_name: str
    date_happened: int
    tags: list[str]


class DatadogLog(Strict):
    """https://docs.datadoghq.com/api/latest/logs/#send-logs"""

    message: str
    ddsource: str
    ddtags: str
    hostname: str
    service: str = ""


class Dynatrace(BaseModel):
    """https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/environment-api/log-monitoring-v2/post-ingest-logs"""

    timestamp: Time
    severity: str
    content: dict[str, Any]


class Opsgenie(Strict):
    """https://docs.opsgenie.com/docs/alert-api#create-alert"""

    message: str = Field(min_length=1, max_length=130)
    alias: str = Field(max_length=512)
    description: str = Field(max_length=15000)
    entity: str = Field(max_length=512)
    details: dict[str, str]
    priority: Literal["P1", "P2", "P3", "P4", "P5"]


class PagerDutyPayload(Strict):
    """https://developer.pagerduty.com/api-reference/368ae3d938c9e-send-an-event-to-pager-duty"""

    summary: str = Field(min_length=1, max_length=1024)
    source: str
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: Time
    component: str = ""
    class_: str = Field(default="", alias="class")
    custom_details: dict[str, Any]


class PagerDuty(Strict):
    """The same page."""

    routing_key: str
    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: str = Field(max_length=255)
    payload: PagerDutyPayload


class OnCall(Strict):
    """https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/"""

    alert_uid: str
    state: Literal["alerting", "ok"]
    title: str
    message: str


class LokiStream(Strict):
    """https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs"""

    stream: dict[Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(
        min_length=1, max_length=15
    )
    values: list[tuple[Annotated[str, StringConstraints(pattern=r"^\d{19}$")], str]]


class Loki(Strict):
    """The same page."""

    model_config = ConfigDict(strict=False)
    streams: list[LokiStream]


class Annotation(Strict):
    """https://grafana.com/docs/grafana/latest/developers/http_api/annotations/#create-annotation"""

    dashboardId: int = 0
    panelId: int = 0
    time: int
    timeEnd: int
    tags: list[str]
    text: str


class Event(BaseModel):
    """The payload of Falcosidekick; `eyas` is ours."""

    model_config = ConfigDict(extra="forbid", strict=True)
    uuid: Id
    output: str
    priority: Literal[
        "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"
    ]
    rule: str
    time: Time
    output_fields: dict[str, Any]
    source: str
    tags: list[str]
    hostname: str
    eyas: dict[str, Any] = {}


class Document(Event):
    """A document of Elasticsearch."""

    timestamp: Time = Field(alias="@timestamp")


class Splunk(Strict):
    """https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector"""

    time: Annotated[str, StringConstraints(pattern=r"^\d{10}\.\d{3}$")]
    host: str = ""
    sourcetype: str
    event: Event


class KafkaRest(Strict):
    """https://docs.confluent.io/platform/current/kafka-rest/api.html#post--topics-(string-topic_name)"""

    records: list[dict[Literal["value"], Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+=*$")]]]


class WebUi(Strict):
    """POST / of Falcosidekick-UI."""

    event: Event
    outputs: list[str]


class Spyderbat(Strict):
    """The record `falco_alert::1.0.0`."""

    schema_: Literal["falco_alert::1.0.0"] = Field(alias="schema")
    id: Id
    monotonic_time: int
    orc_time: float
    time: float
    pid: int
    level: Literal["critical", "high", "medium", "low", "info"]
    msg: list[str]
    args: str
    container: str


class Webex(Strict):
    """https://developer.webex.com/docs/api/v1/messages/create-a-message"""

    markdown: str = Field(min_length=1, max_length=7439)


@dataclass(frozen=True)
class Contract:
    """What a service takes, and the meaning of what it may answer."""

    model: Any
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    errors: tuple[tuple[int, str, Outcome], ...] = ()
    rows: Callable[[bytes], list[bytes]] = lambda body: [body]

    def check(self, body: bytes) -> None:
        """Every part of the body fits the model."""
        for row in self.rows(body):
            TypeAdapter(self.model).validate_json(row)


BUSY = ((429, "", RETRY), (500, "", RETRY), (503, "", RETRY))
KEYS = ((401, "unauthorized", RETRY), (403, "forbidden", RETRY))
BAD = ((400, "bad request", REFUSED),)


def _lines(body: bytes) -> list[bytes]:
    return body.splitlines()


CONTRACTS = {
    "slack": Contract(
        Slack,
        "/services/T0/B0/key",
        errors=(
            (400, "invalid_payload", REFUSED),
            (403, "action_prohibited", RETRY),
            (404, "no_service", RETRY),
            (410, "channel_is_archived", RETRY),
            *BUSY,
        ),
    ),
    "rocketchat": Contract(Slack, "/hooks/key", errors=((400, "Invalid integration", REFUSED), *BUSY)),
    "mattermost": Contract(
        Slack, "/hooks/key", errors=((413, "too large", REFUSED), (404, "", RETRY), *BUSY)
    ),
    "teams": Contract(
        Teams,
        "/workflows/key",
        errors=((202, "", DELIVERED), *BAD, *BUSY),
    ),
    "webex": Contract(Webex, "/v1/webhooks/incoming/key", errors=((204, "", DELIVERED), *BAD, *BUSY)),
    "discord": Contract(
        Discord,
        "/api/webhooks/key",
        errors=(
            (204, "", DELIVERED),
            (400, '{"code": 50006}', REFUSED),
            (404, '{"code": 10015}', RETRY),
            *BUSY,
        ),
    ),
    "googlechat": Contract(GoogleChat, "/v1/spaces/key", errors=(*BAD, *KEYS, *BUSY)),
    "cliq": Contract(Cliq, "/key", errors=((204, "", DELIVERED), *BAD, *BUSY)),
    "telegram": Contract(
        Telegram,
        "/bot123:key/sendMessage",
        errors=((400, "can't parse entities", REFUSED), (403, "bot was blocked", RETRY), *BUSY),
    ),
    "gotify": Contract(Gotify, "/message", {"x-gotify-key": "key"}, (*BAD, *KEYS, *BUSY)),
    "datadog": Contract(
        DatadogEvent,
        "/api/v1/events",
        {"dd-api-key": "key"},
        ((202, "", DELIVERED), *BAD, *KEYS, (408, "", RETRY), *BUSY),
    ),
    "datadoglogs": Contract(
        DatadogLog,
        "/api/v2/logs",
        {"dd-api-key": "key"},
        ((202, "", DELIVERED), (413, "", REFUSED), *KEYS, *BUSY),
    ),
    "dynatrace": Contract(
        list[Dynatrace],
        "/api/v2/logs/ingest",
        {"authorization": "Api-Token key"},
        ((204, "", DELIVERED), (413, "", REFUSED), (402, "", RETRY), *KEYS, *BUSY),
    ),
    "spyderbat": Contract(
        Spyderbat,
        "/api/v1/org/org-1/source/falcosidekick_org-1/data/sb-agent",
        {"authorization": "Bearer key", "content-encoding": "gzip"},
        (*BAD, *KEYS, *BUSY),
    ),
    "opsgenie": Contract(
        Opsgenie,
        "/v2/alerts",
        {"authorization": "GenieKey key"},
        ((202, "", DELIVERED), (422, "", REFUSED), *KEYS, *BUSY),
    ),
    "pagerduty": Contract(
        PagerDuty, "/v2/enqueue", {}, ((202, "", DELIVERED), (400, "invalid event", REFUSED), *BUSY)
    ),
    "grafanaoncall": Contract(OnCall, "/integrations/v1/formatted_webhook/key/", {}, BUSY),
    "elasticsearch": Contract(
        Document,
        "/falco-2023.11.14/_doc/537bb2cd-717e-4f57-be9e-f99125216f00",
        {"content-type": "application/json"},
        (
            (201, "", DELIVERED),
            (409, "version_conflict", DELIVERED),
            (400, "mapper_parsing_exception", REFUSED),
            *KEYS,
            *BUSY,
        ),
    ),
    "loki": Contract(
        Loki, "/loki/api/v1/push", {}, ((204, "", DELIVERED), (400, "too old", REFUSED), *KEYS, *BUSY)
    ),
    "grafana": Contract(
        Annotation, "/api/annotations", {"authorization": "Bearer key"}, (*BAD, *KEYS, *BUSY)
    ),
    "zincsearch": Contract(
        Event, "/api/falco/_doc", {"authorization": "Basic ZmFsY286c2VjcmV0"}, (*BAD, *KEYS, *BUSY)
    ),
    "openobserve": Contract(Event, "/api/default/falco/_multi", {}, (*BAD, *KEYS, *BUSY), _lines),
    "sumologic": Contract(
        Event, "/key", {"x-sumo-category": "falco", "x-sumo-name": "soc"}, ((401, "", RETRY), *BUSY)
    ),
    "quickwit": Contract(
        Event, "/api/v1/falco/ingest", {}, ((404, "index not found", RETRY), *BAD, *BUSY), _lines
    ),
    "splunk": Contract(
        Splunk,
        "/services/collector/event",
        {"authorization": "Splunk key"},
        (
            (400, '{"text":"Invalid data format","code":6}', REFUSED),
            (403, '{"code":4}', RETRY),
            (503, '{"code":9}', RETRY),
        ),
    ),
    "cloudevents": Contract(
        Event,
        "/",
        {"ce-specversion": "1.0", "ce-type": "falco.rule.output.v1", "ce-rule": "Write%20below%20etc"},
        BUSY,
    ),
    "openfaas": Contract(Event, "/function/react.openfaas-fn", {}, ((404, "", RETRY), *BUSY)),
    "fission": Contract(Event, "/fission-function/react", {}, BUSY),
    "kubeless": Contract(Event, "/", {"event-type": "falco", "event-namespace": "falco"}, BUSY),
    "tekton": Contract(Event, "/", {}, ((202, "", DELIVERED), *BUSY)),
    "gcp.cloudrun": Contract(Event, "/", {"authorization": "Bearer key"}, (*KEYS, *BUSY)),
    "kafkarest": Contract(
        KafkaRest,
        "/topics/falco",
        {"content-type": "application/vnd.kafka.binary.v2+json"},
        ((404, '{"error_code":40401}', RETRY), (422, '{"error_code":42202}', REFUSED), *BUSY),
    ),
    "webhook": Contract(Event, "/falco", {"user-agent": "Eyas"}, (*BAD, *KEYS, (301, "", RETRY), *BUSY)),
    "nodered": Contract(Event, "/falco", {"authorization": "Basic ZmFsY286c2VjcmV0"}, (*KEYS, *BUSY)),
    "n8n": Contract(Event, "/webhook/falco", {}, ((404, "not registered", RETRY), *BUSY)),
    "webui": Contract(WebUi, "/", {}, BUSY),
    "talon": Contract(Event, "/", {}, BUSY),
}
