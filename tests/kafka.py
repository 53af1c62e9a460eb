"""A real Kafka broker with TLS and SASL PLAIN, as Event Hubs has them.

It needs Java and, in the folder that EYAS_KAFKA names, the jars of org.apache.kafka:kafka_2.13 with what they need
(`mvn dependency:copy-dependencies -DoutputDirectory=…`).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="{user}" password="{password}" user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
log.dirs={folder}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=1
offsets.topic.num.partitions=1
"""


@dataclass(frozen=True)
class Broker:
    """Where it is, and who may."""

    address: str
    ca: Path
    user: str
    password: str

    def produce(self, topic: str, *bodies: bytes) -> None:
        """Send messages."""
        import confluent_kafka

        made: dict[str, Any] = {
            "bootstrap.servers": self.address,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": self.user,
            "sasl.password": self.password,
            "ssl.ca.location": str(self.ca),
            "log_level": 0,
        }
        producer = confluent_kafka.Producer(made)
        for body in bodies:
            producer.produce(topic, body)
        assert producer.flush(60) == 0


@contextmanager
def broker(folder: Path, user: str, password: str) -> Iterator[Broker]:
    """Run a broker for the length of a block; `{address}` in the password is its own. Skips aloud where it cannot."""
    jars, java = os.environ.get("EYAS_KAFKA", ""), shutil.which("java")
    if not jars or java is None or shutil.which("openssl") is None:
        pytest.skip("no Kafka broker: set EYAS_KAFKA to the folder of its jars, and install java and openssl")
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    _certify(folder)
    port, control = _free(), _free()
    password = password.format(address=f"127.0.0.1:{port}")
    file = folder / "server.properties"
    text = PROPERTIES.format(port=port, control=control, folder=folder, user=user, password=password)
    file.write_text(text)
    call = [java, "-Xmx256m", "-cp", f"{jars}/*"]
    made = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", str(file)]
    subprocess.run([*call, "kafka.tools.StorageTool", *made], check=True, capture_output=True, timeout=120)
    process = subprocess.Popen([*call, "kafka.Kafka", str(file)], stdout=subprocess.DEVNULL)
    try:
        yield Broker(f"127.0.0.1:{port}", folder / "ca.pem", user, password)
    finally:
        process.kill()
        process.wait()


def _certify(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = authority.issue_cert("127.0.0.1")
    plain = folder / "key.pem"
    server.private_key_pem.write_to_path(str(plain))
    call = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", str(plain)]
    key = subprocess.run(call, check=True, capture_output=True, timeout=30).stdout
    chain = b"".join(one.bytes() for one in server.cert_chain_pems)
    (folder / "server.pem").write_bytes(key + chain)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
