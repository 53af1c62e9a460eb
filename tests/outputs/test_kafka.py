"""Kafka over TLS with a login, against a real broker: Apache Kafka's jars in the folder that EYAS_KAFKA_LIBS names."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from eyas.delivery import Answer, Outcome
from eyas.hub.receivers import opened
from eyas.outputs import kafka
from eyas.outputs.body import event
from eyas.outputs.card import plan
from eyas.outputs.settings import load
from tests.outputs.cases import ALERT
from tests.outputs.servers import free_port

LIBS = os.environ.get("EYAS_KAFKA_LIBS", "")
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:{inner}
listeners=SASL_SSL://localhost:{port},CONTROLLER://localhost:{inner}
controller.listener.names=CONTROLLER
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="admin" password="own" user_admin="own" user_ann="hush";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
offsets.topic.replication.factor=1
auto.create.topics.enable=true
log.dirs={folder}/logs
"""


@dataclass(frozen=True)
class Broker:
    address: str
    ca: str


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if not (LIBS and shutil.which("java")):
        pytest.skip(
            "no Apache Kafka: EYAS_KAFKA_LIBS names no folder with its jars, or java is not installed"
        )
    folder = tmp_path_factory.mktemp("kafka")
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    (folder / "server.pem").write_bytes(_pkcs8(server.private_key_pem.bytes()) + chain)
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    port = free_port()
    (folder / "server.properties").write_text(PROPERTIES.format(folder=folder, port=port, inner=free_port()))
    java = ["java", "-Xmx400m", "-cp", f"{Path(LIBS)}/*"]
    users = [f"--add-scram=SCRAM-SHA-{n}=[name=ann,password=hush]" for n in (256, 512)]
    tool = [
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "4L6g3nShT-eMCtK--X86sw",
        "-c",
        "server.properties",
        *users,
    ]
    subprocess.run([*java, *tool], cwd=folder, check=True, capture_output=True)
    with subprocess.Popen(
        [*java, "kafka.Kafka", "server.properties"], cwd=folder, stdout=(folder / "log").open("wb")
    ) as run:
        yield Broker(f"localhost:{port}", str(folder / "ca.crt"))
        run.terminate()


def _pkcs8(key: bytes) -> bytes:
    """A key in the only form that Kafka reads."""
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sent(broker: Broker, sasl: str, password: str = "hush", ca: str = "") -> Answer:
    env = {
        "KAFKA_HOSTPORT": broker.address, "KAFKA_TOPIC": "falco", "KAFKA_TOPICCREATION": "true", "KAFKA_TLS": "true",
        "KAFKA_SASL": sasl, "KAFKA_USERNAME": "ann", "KAFKA_PASSWORD": password, "TLSCLIENT_CACERTFILE": ca or broker.ca,
    }  # fmt: skip
    (one,) = load({}, env).enabled
    link = opened(one.output, one.settings)
    try:
        (answer,) = link.send(plan(one.output, [ALERT], one.settings))
    finally:
        link.close()
    return answer


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sasl", ["PLAIN", "SCRAM_SHA256", "SCRAM_SHA512"])
def test_an_alert_arrives_over_tls_with_a_login(
    broker: Broker, sasl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import confluent_kafka

    monkeypatch.setattr(kafka, "PATIENCE", 60.0)  # the broker may still be starting
    assert sent(broker, sasl).outcome is Outcome.DELIVERED
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": broker.address, "group.id": sasl, "auto.offset.reset": "earliest",
            "security.protocol": "sasl_ssl", "ssl.ca.location": broker.ca, "sasl.mechanism": "PLAIN",
            "sasl.username": "ann", "sasl.password": "hush",
        }
    )  # fmt: skip
    consumer.subscribe(["falco"])
    message = consumer.poll(60)
    consumer.close()
    assert message.value() == event.event_json(ALERT)


@pytest.mark.timeout(180)
def test_a_wrong_password_and_a_foreign_authority_are_named(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "PATIENCE", 5.0)
    answer = sent(broker, "PLAIN", "wrong")
    assert answer.outcome is Outcome.RETRY
    assert "uthentication" in answer.reason
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.crt"))
    answer = sent(broker, "PLAIN", ca=str(tmp_path / "other.crt"))
    assert answer.outcome is Outcome.RETRY
    assert "certificate verify failed" in answer.reason
