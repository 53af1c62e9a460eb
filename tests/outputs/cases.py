"""The alert and the settings behind each golden request."""

from eyas.alert import Alert

ALERT = Alert(
    rule="Write below etc",
    priority="Critical",
    source="syscall",
    tags=("mitre_persistence", "T1543.002", "filesystem"),
    ts=1_700_000_000_123_456_789,
    message="File below /etc opened for writing (file=/etc/cron.d/x command=vi /etc/cron.d/x)",
    fields={
        "container.id": "3ad7b26ded6d",
        "evt.time": 1_700_000_000_123_456_789,
        "fd.name": "/etc/cron.d/x",
        "k8s.ns.name": "shop",
        "k8s.pod.name": "cart-5d9",
        "proc.aname[2]": "containerd-shim",
        "proc.cmdline": "vi /etc/cron.d/x <EOF> & 'more' \"quoted\" text that is longer than the rest",
        "proc.is_exe_writable": False,
        "proc.pid": 4711,
        "thread.cpu": 0.25,
        "user.name": None,
    },
    hostname="node-7",
    eyas={"id": "8f1e6c0f2b7a4d5e9c3b1a00", "attack": ["T1543.002"]},
)

# Receiver → variant → settings. The variant without a name is the one with least settings.
CASES: dict[str, dict[str, dict[str, object]]] = {
    "slack": {
        "": {"webhookurl": "https://hooks.slack.example/services/T0/B0/key"},
        "blocks": {
            "webhookurl": "https://hooks.slack.example/services/T0/B0/key",
            "blocks": True,
            "channel": "#soc",
        },
        "headline": {
            "webhookurl": "https://hooks.slack.example/services/T0/B0/key",
            "outputformat": "text",
            "messageformat": 'Rule *{{ .Rule }}* by *{{ index .OutputFields "proc.cmdline" }}*',
        },
    },
    "rocketchat": {
        "": {"webhookurl": "https://rocket.example/hooks/key"},
        "fields": {
            "webhookurl": "https://rocket.example/hooks/key",
            "outputformat": "fields",
            "footer": "SOC",
        },
    },
    "mattermost": {"": {"webhookurl": "https://mattermost.example/hooks/key"}},
    "teams": {
        "": {"webhookurl": "https://prod-1.westeurope.logic.azure.example/workflows/key"},
        "connector": {
            "webhookurl": "https://acme.webhook.office.com/webhookb2/key",
            "activityimage": "https://a/i.png",
        },
        "facts": {"webhookurl": "https://flow.example/key", "card": "message", "outputformat": "facts"},
    },
    "webex": {"": {"webhookurl": "https://webexapis.example/v1/webhooks/incoming/key"}},
    "discord": {"": {"webhookurl": "https://discord.example/api/webhooks/key", "icon": "https://a/i.png"}},
    "googlechat": {
        "": {"webhookurl": "https://chat.googleapis.example/v1/spaces/key"},
        "text": {
            "webhookurl": "https://chat.googleapis.example/v1/spaces/key",
            "outputformat": "text",
            "messageformat": "{{ if .Hostname }}{{ .Hostname }}: {{ end }}{{ .Rule }}",
        },
    },
    "cliq": {
        "": {"webhookurl": "https://cliq.example/key"},
        "emoji": {
            "webhookurl": "https://cliq.example/key",
            "useemoji": True,
            "messageformat": "{{ .Priority }}",
        },
    },
    "telegram": {"": {"token": "123:key", "chatid": "-100"}},
    "gotify": {
        "": {"hostport": "http://gotify:8080", "token": "key"},
        "plaintext": {"hostport": "http://gotify:8080", "format": "plaintext"},
        "json": {"hostport": "http://gotify:8080", "format": "json"},
    },
    "datadog": {"": {"apikey": "key"}, "eu": {"apikey": "key", "host": "api.datadoghq.eu"}},
    "datadoglogs": {"": {"apikey": "key", "service": "falco"}},
    "influxdb": {
        "": {"hostport": "http://influxdb:8086"},
        "v2": {"hostport": "http://influxdb:8086", "organization": "acme", "token": "key", "precision": "s"},
    },
    "statsd": {"": {"forwarder": "127.0.0.1:8125"}},
    "dogstatsd": {"": {"forwarder": "127.0.0.1:8125", "tags": "env:prod,team:blue"}},
    "prometheus": {"": {"enabled": True, "extralabels": "fd.name"}},
    "wavefront": {
        "": {"endpointhost": "acme.wavefront.example", "endpointtoken": "key"},
        "proxy": {"endpointtype": "proxy", "endpointhost": "proxy"},
    },
    "spyderbat": {"": {"orguid": "org-1", "apikey": "key"}},
    "timescaledb": {
        "": {"host": "timescale"},
        "columns": {
            "host": "timescale",
            "hypertablename": "soc.events",
            "customfields": "proc.pid:x,team:blue",
        },
    },
    "dynatrace": {"": {"apiurl": "https://acme.live.dynatrace.example/api", "apitoken": "key"}},
    "otlp.metrics": {"": {"endpoint": "http://otel:4318", "extraattributes": "fd.name"}},
    "alertmanager": {
        "": {"hostport": "http://alertmanager:9093"},
        "labels": {
            "hostport": "http://alertmanager:9093",
            "expiresafter": 3600,
            "extralabels": "team:blue,cluster:eu-1",
            "customseveritymap": "critical:page",
            "customheaders": "X-Scope:soc",
        },
    },
    "opsgenie": {"": {"apikey": "key"}, "eu": {"apikey": "key", "region": "eu"}},
    "pagerduty": {"": {"routingkey": "key"}, "eu": {"routingkey": "key", "region": "eu"}},
    "grafanaoncall": {"": {"webhookurl": "https://oncall.example/integrations/v1/formatted_webhook/key/"}},
    "elasticsearch": {
        "": {"hostport": "https://elastic:9200"},
        "stream": {"hostport": "https://elastic:9200", "index": "falco", "datastream": True, "apikey": "key"},
        "old": {
            "hostport": "https://elastic:9200",
            "type": "event",
            "suffix": "monthly",
            "pipeline": "geo",
            "flattenfields": True,
            "username": "falco",
            "password": "secret",
            "enablecompression": True,
        },
    },
    "loki": {
        "": {"hostport": "http://loki:3100"},
        "json": {
            "hostport": "http://loki:3100",
            "format": "json",
            "tenant": "acme",
            "user": "7",
            "apikey": "key",
            "extralabels": "proc.pid,fd.name",
            "customfields": "team:blue",
        },
    },
    "aws.cloudwatchlogs": {"": {"loggroup": "falco", "region": "eu-west-1"}},
    "grafana": {
        "": {"hostport": "http://grafana:3000", "apikey": "key"},
        "panel": {"hostport": "http://grafana:3000", "dashboardid": 3, "panelid": 4, "allfieldsastags": True},
    },
    "syslog": {
        "": {"host": "syslog"},
        "cef": {"host": "syslog", "protocol": "tcp", "format": "cef", "facility": "local4"},
        "tls": {"host": "syslog", "protocol": "tls", "port": "6514"},
    },
    "zincsearch": {"": {"hostport": "http://zinc:4080", "username": "falco", "password": "secret"}},
    "openobserve": {"": {"hostport": "http://openobserve:5080"}},
    "sumologic": {"": {"receiverurl": "https://sumo.example/key", "sourcecategory": "falco", "name": "soc"}},
    "quickwit": {"": {"hostport": "http://quickwit:7280"}},
    "logstash": {
        "": {"address": "logstash"},
        "tls": {"address": "logstash", "tls": True, "tags": "falco,prod"},
    },
    "splunk": {"": {"host": "https://splunk:8088/services/collector/event", "token": "key"}},
    "otlp.logs": {
        "": {"endpoint": "http://otel:4318", "headers": "x-key=a%20b"},
        "grpc": {"endpoint": "http://otel:4317", "protocol": "grpc"},
    },
    "aws.s3": {"": {"bucket": "alerts", "region": "eu-west-1"}},
    "gcp.storage": {"": {"bucket": "alerts", "prefix": "falco"}},
    "yandex.s3": {"": {"bucket": "alerts"}},
    "aws.securitylake": {
        "": {"bucket": "lake", "region": "eu-west-1", "prefix": "ext/falco", "accountid": "123456789012"}
    },
    "gcp.chronicle": {"": {"projectid": "acme", "instanceid": "i-1", "region": "europe"}},
    "aws.lambda": {"": {"functionname": "react", "region": "eu-west-1"}},
    "gcp.cloudfunctions": {"": {"name": "projects/acme/locations/eu/functions/react"}},
    "gcp.cloudrun": {"": {"endpoint": "https://react.run.example", "jwt": "key"}},
    "cloudevents": {"": {"address": "http://broker.example", "extensions": "team:blue sky"}},
    "openfaas": {
        "": {"functionname": "react"},
        "outside": {"functionname": "react", "kubeconfig": "~/.kube/config"},
    },
    "fission": {"": {"function": "react"}},
    "kubeless": {"": {"function": "react", "namespace": "falco"}},
    "tekton": {"": {"eventlistener": "http://el-falco.example:8080"}},
    "nats": {
        "": {"hostport": "nats://nats:4222"},
        "jetstream": {
            "hostport": "nats://nats:4222",
            "jetstream": True,
            "subjecttemplate": "a.<source>.<hostname>.<x>",
        },
    },
    "stan": {"": {"hostport": "nats://nats:4222", "clusterid": "falco", "clientid": "eyas"}},
    "aws.sqs": {
        "": {"url": "https://sqs.eu-west-1.amazonaws.com/123456789012/falco"},
        "fifo": {"url": "https://sqs.eu-west-1.amazonaws.com/123456789012/falco.fifo"},
    },
    "aws.sns": {
        "": {"topicarn": "arn:aws:sns:eu-west-1:123456789012:falco"},
        "raw": {"topicarn": "arn:aws:sns:eu-west-1:123456789012:falco", "rawjson": True},
    },
    "aws.kinesis": {"": {"streamname": "falco", "region": "eu-west-1"}},
    "gcp.pubsub": {
        "": {"projectid": "acme", "topic": "falco"},
        "attributes": {"projectid": "acme", "topic": "falco", "customattributes": "team:blue"},
    },
    "kafka": {"": {"hostport": "kafka:9092,kafka-2:9092", "topic": "falco"}},
    "kafkarest": {"": {"address": "http://rest:8082/topics/falco"}},
    "rabbitmq": {"": {"url": "amqp://falco:secret@rabbitmq:5672/", "queue": "falco"}},
    "azure.eventhub": {"": {"namespace": "acme", "name": "falco"}},
    "yandex.datastreams": {"": {"streamname": "/ru-central1/a/b/falco"}},
    "mqtt": {"": {"broker": "tcp://mosquitto:1883"}},
    "smtp": {
        "": {"hostport": "mail:587", "from": "falco@example.org", "to": "soc@example.org,it@example.org"},
        "text": {
            "hostport": "mail:587",
            "from": "a@example.org",
            "to": "b@example.org",
            "outputformat": "text",
        },
    },
    "redis": {"": {"address": "redis:6379"}, "hashmap": {"address": "redis:6379", "storagetype": "hashmap"}},
    "webhook": {
        "": {"address": "https://example.org/falco"},
        "signed": {
            "address": "https://example.org/falco",
            "method": "PUT",
            "secret": "quiet",
            "customheaders": "A:b",
        },
    },
    "nodered": {"": {"address": "http://nodered:1880/falco", "user": "falco", "password": "secret"}},
    "n8n": {
        "": {"address": "http://n8n:5678/webhook/falco"},
        "header": {
            "address": "http://n8n:5678/webhook/falco",
            "headerauthname": "X-Key",
            "headerauthvalue": "key",
        },
    },
    "webui": {"": {"url": "http://ui:2802"}},
    "policyreport": {"": {"enabled": True}},
    "otlp.traces": {"": {"endpoint": "http://otel:4318/v1/traces"}},
    "talon": {"": {"address": "http://talon:2803"}},
    "apprise": {"": {"urls": "json://localhost/key"}},
}
