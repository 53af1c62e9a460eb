"""Every key of a Falcosidekick configuration is known here, in its spelling, with its default."""

import pytest

from eyas.outputs import OUTPUTS
from eyas.outputs.card import find
from eyas.outputs.settings import load, settings_of, variable
from tests.outputs.cases import CASES

CHAT = "outputformat=all messageformat= minimumpriority="
HTTP = "mutualtls=False checkcert=True maxconcurrentrequests=1 minimumpriority="
AWS = "accesskeyid= secretaccesskey= region= rolearn= externalid= checkidentity=True"
OTLP = "endpoint= protocol= timeout=10000 headers= extraenvvars= checkcert=True minimumpriority="
# Receiver → its keys with their defaults; what has none there is left empty here.
KEYS = {
    "slack": f"webhookurl= footer= username= channel= icon= {CHAT} {HTTP}",
    "rocketchat": f"webhookurl= footer= username= icon= {CHAT} {HTTP}",
    "mattermost": f"webhookurl= footer= username= icon= {CHAT} {HTTP}",
    "teams": f"webhookurl= activityimage= outputformat=all {HTTP}",
    "webex": f"webhookurl= {HTTP}",
    "discord": f"webhookurl= icon= {HTTP}",
    "googlechat": f"webhookurl= {CHAT} {HTTP}",
    "cliq": f"webhookurl= icon= useemoji=False {CHAT} {HTTP}",
    "telegram": "host= token= chatid= messagethreadid= minimumpriority= checkcert=True",
    "gotify": "hostport= token= format=markdown checkcert=True minimumpriority=",
    "datadog": f"apikey= host=https://api.datadoghq.com {HTTP}",
    "datadoglogs": f"apikey= host= service= {HTTP}",
    "influxdb": f"hostport= database=falco organization= bucket=falco precision=ns user= password= token= {HTTP}",
    "statsd": "forwarder= namespace=falcosidekick.",
    "dogstatsd": "forwarder= namespace=falcosidekick. tags=",
    "prometheus": "extralabels=",
    "wavefront": "endpointtype= endpointhost= endpointtoken= metricname=falco.alert endpointmetricport=2878 "
    "minimumpriority= flushintervalseconds=1 batchsize=10000",
    "spyderbat": "orguid= apikey= apiurl=https://api.spyderbat.com source=falcosidekick sourcedescription= minimumpriority=",
    "timescaledb": "host= port=5432 user=postgres password= database=falcosidekick hypertablename=falcosidekick_events "
    "minimumpriority=",
    "dynatrace": "apitoken= apiurl= checkcert=True minimumpriority=",
    "otlp.metrics": f"{OTLP} extraattributes=",
    "alertmanager": f"hostport= endpoint= expiresafter=0 extralabels= extraannotations= customseveritymap= customheaders= "
    f"dropeventdefaultpriority=critical dropeventthresholds= {HTTP}",
    "opsgenie": f"region=us apikey= {HTTP}",
    "pagerduty": f"routingkey= region=us {HTTP}",
    "grafanaoncall": f"webhookurl= customheaders= {HTTP}",
    "elasticsearch": f"hostport= index=falco type=_doc pipeline= suffix=daily username= password= apikey= "
    f"flattenfields=False createindextemplate=False numberofshards=3 numberofreplicas=3 customheaders= "
    f"enablecompression=False {HTTP}",
    "loki": f"hostport= user= apikey= tenant= format=text endpoint=/loki/api/v1/push extralabels= customheaders= {HTTP}",
    "aws.cloudwatchlogs": f"loggroup= logstream= minimumpriority= {AWS}",
    "grafana": f"hostport= dashboardid=0 panelid=0 apikey= allfieldsastags=False customheaders= {HTTP}",
    "syslog": "host= port= protocol= format=json minimumpriority=",
    "zincsearch": "hostport= index=falco username= password= checkcert=True minimumpriority=",
    "openobserve": f"hostport= organizationname=default streamname=falco username= password= customheaders= {HTTP}",
    "sumologic": f"receiverurl= sourcecategory= sourcehost= name= {HTTP}",
    "quickwit": f"hostport= index=falco apiendpoint=api/v1 version=0.7 autocreateindex=False customheaders= {HTTP}",
    "logstash": "address= port=5044 tags= tls=False mutualtls=False checkcert=True certfile= keyfile= cacertfile= "
    "minimumpriority=",
    "splunk": f"host= token= customheaders= {HTTP}",
    "otlp.logs": OTLP,
    "aws.s3": f"bucket= prefix=falco endpoint= objectcannedacl=bucket-owner-full-control minimumpriority= {AWS}",
    "gcp.storage": "prefix= bucket= minimumpriority= credentials= workloadidentity=",
    "yandex.s3": "endpoint=https://storage.yandexcloud.net bucket= prefix=falco minimumpriority= accesskeyid= "
    "secretaccesskey= region=ru-central1",
    "aws.securitylake": "bucket= region= prefix= interval=5 batchsize=1000 accountid= minimumpriority= accesskeyid= "
    "secretaccesskey= rolearn= externalid=",
    "gcp.chronicle": "region= projectid= instanceid= logtype=FALCO_IDS minimumpriority= credentials=",
    "aws.lambda": f"functionname= invocationtype=RequestResponse logtype=Tail minimumpriority= {AWS}",
    "gcp.cloudfunctions": "name= minimumpriority= credentials=",
    "gcp.cloudrun": "endpoint= jwt= minimumpriority=",
    "cloudevents": f"address= extensions= {HTTP}",
    "openfaas": f"gatewaynamespace=openfaas gatewayservice=gateway functionname= functionnamespace=openfaas-fn "
    f"gatewayport=8080 kubeconfig= {HTTP}",
    "fission": f"routernamespace=fission routerservice=router routerport=80 functionnamespace=fission-function function= "
    f"kubeconfig= {HTTP}",
    "kubeless": f"namespace= function= port=8080 kubeconfig= {HTTP}",
    "tekton": "eventlistener= minimumpriority= checkcert=True",
    "nats": f"hostport= subjecttemplate=falco.<priority>.<rule> clusterid= clientid= {HTTP}",
    "stan": f"hostport= clusterid= clientid= subjecttemplate=falco.<priority>.<rule> {HTTP}",
    "aws.sqs": f"url= minimumpriority= {AWS}",
    "aws.sns": f"topicarn= rawjson=False minimumpriority= {AWS}",
    "aws.kinesis": f"streamname= minimumpriority= {AWS}",
    "gcp.pubsub": "projectid= topic= customattributes= minimumpriority= credentials=",
    "kafka": "hostport= topic= minimumpriority= sasl= tls=False username= password= balancer=round_robin clientid= "
    "compression=NONE async=False requiredacks= topiccreation=False",
    "kafkarest": f"address= version=2 {HTTP}",
    "rabbitmq": "url= queue= minimumpriority=",
    "azure.eventhub": "namespace= name= minimumpriority=",
    "yandex.datastreams": "endpoint=https://yds.serverless.yandexcloud.net streamname= minimumpriority=",
    "mqtt": "broker= topic=falco/events qos= retained=False user= password= checkcert=True minimumpriority=",
    "smtp": "hostport= tls=True from= to= outputformat=html minimumpriority= authmechanism=plain user= password= token= "
    "identity= trace=",
    "redis": f"address= username= password= database=0 storagetype=list key=falco tls=False certfile= keyfile= cacertfile= {HTTP}",
    "webhook": f"address= method=POST customheaders= {HTTP}",
    "nodered": "address= user= password= customheaders= minimumpriority= checkcert=True",
    "n8n": "address= user= password= headerauthname= headerauthvalue= minimumpriority= checkcert=True",
    "webui": f"url= {HTTP}",
    "policyreport": "enabled= kubeconfig= minimumpriority= maxevents=1000 falconamespace= prunebypriority=False",
    "otlp.traces": f"{OTLP} synced=False duration=1000",
    "talon": "address= minimumpriority= checkcert=True",
}
# Defaults that differ on purpose; `docs/differences.md` says why.
OURS = {("kafka", "requiredacks"), ("mqtt", "qos"), ("alertmanager", "endpoint")}


def pairs(name: str) -> dict[str, str]:
    return {key: value for key, _, value in (pair.partition("=") for pair in KEYS[name].split())}


def test_all_of_falcosidekicks_receivers_are_here() -> None:
    assert len(KEYS) == 71
    assert set(OUTPUTS) - set(KEYS) == {"apprise"}


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_known_with_its_default(name: str) -> None:
    kind = find(name).settings
    settings = settings_of(find(name), CASES[name][""]).model_dump(by_alias=True)
    for key, value in pairs(name).items():
        assert key in kind.named() or key in kind.ignored, key
        if value and key not in CASES[name][""] and key not in kind.ignored:
            shown = settings[key]
            assert str(shown) == value, key


def test_a_configuration_with_every_key_loads_with_a_word_on_what_is_retired() -> None:
    values: dict[str, object] = {
        "listenaddress": "", "listenport": 2801, "debug": False, "bracketreplacer": "_", "outputfieldformat": "",
        "customfields": {"a": "b"}, "templatedfields": {}, "customtags": ["t"], "mutualtlsfilespath": "/etc/certs",
        "mutualtlsclient": {"certfile": "", "keyfile": "", "cacertfile": ""}, "tlsclient": {"cacertfile": ""},
        "tlsserver": {"deploy": False, "notlspaths": []},
    }  # fmt: skip
    for name in KEYS:
        at = values
        for step in name.split("."):
            at = at.setdefault(step, {})  # type: ignore[assignment]
        for key, value in (pairs(name) | {k: str(v) for k, v in CASES[name][""].items()}).items():
            (values[name.partition(".")[0]] if key in find(name).settings.shared and "." in name else at)[
                key
            ] = value  # type: ignore[index]
    loaded = load(values, {})
    assert [text.split(": ")[1] for text in loaded.warnings] == ["kubeless", "stan"]
    assert {one.output.name for one in loaded.enabled} == set(KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_read_from_the_environment(name: str) -> None:
    """The settings are the same as those that the file gives."""
    card = find(name)
    told = {key: value for key, value in pairs(name).items() if value and key not in card.settings.ignored}
    told |= {key: written(value) for key, value in CASES[name][""].items()}
    above = {key for key in told if key in card.settings.shared and "." in name}
    env = {
        variable(name.rpartition(".")[0] if key in above else name, key): text for key, text in told.items()
    }
    if name == "policyreport":
        env["POLICYREPORT_ENABLED"] = "true"
    (found,) = (one for one in load({}, env).enabled if one.output.name == name)
    dumped = found.settings.model_dump(by_alias=True)
    expected = settings_of(card, {**told, **({"enabled": True} if name == "policyreport" else {})})
    assert dumped == expected.model_dump(by_alias=True)


def written(value: object) -> str:
    """A value as a variable holds it."""
    if isinstance(value, dict):
        return ",".join(f"{key}:{entry}" for key, entry in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
