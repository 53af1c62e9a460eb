"""Queues take the alerts for real: Redis, NATS, RabbitMQ, Mosquitto, Kafka; with TLS and client certificates."""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from eyas.outputs.card import find
from eyas.outputs.settings import settings_of
from tests.outputs.cases import ALERT
from tests.outputs.servers import (
    Certificates,
    certificates,
    deliver,
    free_port,
    listens,
    send_all,
    server,
    settled,
    shared_folder,
)

OTHER = dataclasses.replace(ALERT, rule="Second rule", eyas={"id": "second"})
EXPECTED = [json.loads(event.event_json(alert)) for alert in (ALERT, OTHER)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def redis(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    plain, secure = free_port(), free_port()
    tls = {"tls-port": secure, "tls-cert-file": files.server_cert, "tls-key-file": files.server_key}
    options = {"port": plain, "save": "", "bind": "127.0.0.1", "tls-ca-cert-file": files.authority, **tls}
    command = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    with server(["redis-server", *command], plain, tmp_path_factory.mktemp("redis")):
        yield plain, secure


def test_redis_takes_alerts_at_the_end_of_a_list(redis: tuple[int, int]) -> None:
    import redis as library

    assert deliver("redis", {"address": f"127.0.0.1:{redis[0]}"}, [ALERT, OTHER]) == [delivered()] * 2
    found = library.Redis(port=redis[0]).lrange("falco", 0, -1)
    assert [json.loads(body) for body in found] == EXPECTED


def test_redis_takes_alerts_in_a_hash_over_tls_with_a_client_certificate(
    redis: tuple[int, int], files: Certificates
) -> None:
    import redis as library

    values = {"address": f"localhost:{redis[1]}", "storagetype": "hashmap", "key": "h", **files.client}
    assert deliver("redis", values, [ALERT, ALERT]) == [delivered()] * 2
    found = library.Redis(port=redis[0]).hgetall("h")
    assert {key.decode(): json.loads(body) for key, body in found.items()} == {
        event.identity(ALERT): EXPECTED[0]
    }
    (answer,) = deliver(
        "redis", values | {"mutualtls": False, "tls": True, "certfile": "", "keyfile": ""}, [ALERT]
    )
    assert answer.outcome is Outcome.RETRY


def test_redis_refuses_a_wrong_type_and_is_asked_again_when_it_is_away(redis: tuple[int, int]) -> None:
    import redis as library

    library.Redis(port=redis[0]).set("word", "x")
    (answer,) = deliver("redis", {"address": f"127.0.0.1:{redis[0]}", "key": "word"}, [ALERT])
    assert answer.outcome is Outcome.REFUSED and "WRONGTYPE" in answer.reason
    (answer,) = deliver("redis", {"address": f"127.0.0.1:{free_port()}"}, [ALERT])
    assert answer.outcome is Outcome.RETRY


@pytest.fixture(scope="module")
def nats(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    plain, secure = free_port(), free_port()
    folder = tmp_path_factory.mktemp("nats")
    tls = [
        "--tlsverify",
        "--tlscert",
        files.server_cert,
        "--tlskey",
        files.server_key,
        "--tlscacert",
        files.authority,
    ]
    common = ["nats-server", "-a", "127.0.0.1"]
    with (
        server([*common, "-p", str(plain), "-js", "-sd", str(folder / "js")], plain, folder),
        server([*common, "-p", str(secure), *tls], secure, folder),
    ):
        yield plain, secure


def test_nats_takes_alerts_under_a_subject_of_priority_and_rule(nats: tuple[int, int]) -> None:
    url = f"nats://127.0.0.1:{nats[0]}"
    found = subscribed(url, "falco.>", lambda: deliver("nats", {"hostport": url}, [ALERT, OTHER]))
    assert [subject for subject, _ in found] == [
        "falco.critical.write_below_etc",
        "falco.critical.second_rule",
    ]
    assert [json.loads(body) for _, body in found] == EXPECTED


def test_jetstream_acknowledges_and_drops_repeats(nats: tuple[int, int]) -> None:
    url = f"nats://127.0.0.1:{nats[0]}"
    assert (
        streamed(url, lambda: deliver("nats", {"hostport": url, "jetstream": True}, [ALERT, OTHER, ALERT]))
        == 2
    )
    away = {"hostport": url, "jetstream": True, "subjecttemplate": "nobody.<rule>"}
    assert deliver("nats", away, [ALERT])[0].outcome is Outcome.RETRY
    stan = {"hostport": url, "subjecttemplate": "nobody.<rule>"}
    assert deliver("stan", stan, [ALERT])[0].outcome is Outcome.RETRY


@pytest.mark.parametrize("jetstream", [False, True])
def test_a_message_that_nats_never_takes_is_refused(nats: tuple[int, int], jetstream: bool) -> None:
    values = {"hostport": f"nats://127.0.0.1:{nats[0]}", "jetstream": jetstream}
    card = find("nats")
    good = card.request(OTHER, settings_of(card, values))
    answers = send_all("nats", values, [dataclasses.replace(good, body=b"x" * (2 << 20)), good])
    assert answers[0].outcome is Outcome.REFUSED
    assert answers[1].outcome is not Outcome.REFUSED


def test_nats_shows_its_certificate(nats: tuple[int, int], files: Certificates) -> None:
    from eyas.outputs.settings import load

    values = {
        "mutualtlsclient": {key: str(value) for key, value in files.client.items() if key != "mutualtls"},
        "nats": {"hostport": f"tls://localhost:{nats[1]}", "mutualtls": True},
    }
    (one,) = load(values, {}).enabled
    assert one.output.open is not None
    sender = one.output.open(one.settings)
    assert sender is not None
    try:
        assert sender.send([one.output.request(ALERT, one.settings)]) == [delivered()]
    finally:
        sender.close()
    assert deliver("nats", {"hostport": f"tls://localhost:{nats[1]}"}, [ALERT])[0].outcome is Outcome.RETRY


def subscribed(url: str, subject: str, action: object) -> list[tuple[str, bytes]]:
    """What arrives under a subject while something is done."""
    import asyncio

    import nats as library

    async def listen() -> list[tuple[str, bytes]]:
        client = await library.connect(url)
        subscription = await client.subscribe(subject)
        await client.flush()
        answers = await asyncio.to_thread(action)  # type: ignore[arg-type]
        assert answers == [delivered()] * len(answers)
        found = [await subscription.next_msg(10) for _ in answers]
        await client.close()
        return [(message.subject, message.data) for message in found]

    return asyncio.run(listen())


def streamed(url: str, action: object) -> int:
    """How many messages a stream holds after something is done."""
    import asyncio

    import nats as library

    async def count() -> int:
        client = await library.connect(url)
        stream = client.jetstream()
        await stream.add_stream(name="falco", subjects=["falco.>"])
        answers = await asyncio.to_thread(action)  # type: ignore[arg-type]
        assert answers == [delivered()] * len(answers)
        held = (await stream.stream_info("falco")).state.messages
        await client.close()
        return held

    return asyncio.run(count())


@pytest.fixture(scope="module")
def mosquitto(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    plain, secure = free_port(), free_port()
    folder = tmp_path_factory.mktemp("mosquitto")
    folder.chmod(0o755)
    (folder / "m.conf").write_text(
        f"user root\npersistence false\nlistener {plain} 127.0.0.1\nallow_anonymous true\n"
        f"listener {secure} 127.0.0.1\ncafile {files.authority}\ncertfile {files.server_cert}\n"
        f"keyfile {files.server_key}\nrequire_certificate true\n"
    )
    with server(["mosquitto", "-c", str(folder / "m.conf")], plain, folder):
        yield plain, secure


def test_mosquitto_takes_alerts_under_a_topic(mosquitto: tuple[int, int], files: Certificates) -> None:
    import paho.mqtt.client as mqtt

    found: list[bytes] = []
    ready, both = threading.Event(), threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)

    def noted(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        found.append(message.payload)
        if len(found) == 3:
            both.set()

    client.on_message = noted
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", mosquitto[0])
    client.subscribe("falco/#", 1)
    client.loop_start()
    assert ready.wait(10)
    assert deliver("mqtt", {"broker": f"tcp://127.0.0.1:{mosquitto[0]}"}, [ALERT, OTHER]) == [delivered()] * 2
    assert mutual("mqtt", {"broker": f"ssl://localhost:{mosquitto[1]}"}, files) == [delivered()]
    assert both.wait(10)
    client.loop_stop()
    assert [json.loads(body) for body in found] == [*EXPECTED, EXPECTED[0]]
    assert deliver("mqtt", {"broker": f"tcp://127.0.0.1:{free_port()}"}, [ALERT])[0].outcome is Outcome.RETRY


def mutual(name: str, section: dict[str, object], files: Certificates) -> list[object]:
    """Send one alert with the certificate that stands above all receivers."""
    from eyas.outputs.settings import load

    above = {key: str(value) for key, value in files.client.items() if key != "mutualtls"}
    (one,) = load({"mutualtlsclient": above, name: section | {"mutualtls": True}}, {}).enabled
    assert one.output.open is not None
    sender = one.output.open(one.settings)
    assert sender is not None
    try:
        return list(sender.send([one.output.request(ALERT, one.settings)]))
    finally:
        sender.close()


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[tuple[int, int, Certificates]]:
    port, secure = free_port(), free_port()
    with shared_folder() as folder:
        (folder / "tls").mkdir()
        files = certificates(folder / "tls")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.ssl.1 = 127.0.0.1:{secure}\nssl_options.cacertfile = {files.authority}\n"
            f"ssl_options.certfile = {files.server_cert}\nssl_options.keyfile = {files.server_key}\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
        )
        env = {
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_NODENAME": f"eyas{port}@localhost",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "ERL_EPMD_PORT": str(free_port()),
            "HOSTNAME": "localhost",
        }
        with server(["/usr/lib/rabbitmq/bin/rabbitmq-server"], port, folder, "rabbitmq", env):
            settled(lambda: listens(secure))
            yield port, secure, files
        # The port mapper of Erlang stays behind as a daemon.
        subprocess.run(["epmd", "-port", env["ERL_EPMD_PORT"], "-kill"], capture_output=True, check=False)


@pytest.mark.timeout(120)
def test_rabbitmq_takes_alerts_and_tells_of_a_missing_queue(rabbitmq: tuple[int, int, Certificates]) -> None:
    import asyncio

    import aio_pika

    port, secure, files = rabbitmq
    url = f"amqp://guest:guest@127.0.0.1:{port}/"

    async def declared() -> None:
        async with await aio_pika.connect(url) as link:
            await (await link.channel()).declare_queue("falco", durable=True)

    async def taken() -> list[object]:
        async with await aio_pika.connect(url) as link:
            queue = await (await link.channel()).declare_queue("falco", durable=True)
            return [json.loads((await queue.get(timeout=10, no_ack=True)).body) for _ in range(2)]  # type: ignore[union-attr]

    (answer,) = deliver("rabbitmq", {"url": url, "queue": "falco"}, [ALERT])
    assert answer.outcome is Outcome.RETRY
    asyncio.run(declared())
    assert deliver("rabbitmq", {"url": url, "queue": "falco"}, [ALERT, OTHER]) == [delivered()] * 2
    assert asyncio.run(taken()) == EXPECTED
    (answer,) = deliver(
        "rabbitmq", {"url": f"amqp://guest:wrong@127.0.0.1:{port}/", "queue": "falco"}, [ALERT]
    )
    assert answer.outcome is Outcome.RETRY
    section: dict[str, object] = {"url": f"amqps://guest:guest@localhost:{secure}/", "queue": "falco"}
    assert mutual("rabbitmq", section, files) == [delivered()]
    assert deliver("rabbitmq", section, [ALERT])[0].outcome is Outcome.RETRY


def test_kafka_takes_alerts_and_answers_each(tmp_path: Path) -> None:
    import confluent_kafka as kafka

    # The library carries a cluster of its own that speaks the protocol over TCP.
    broker = kafka.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    address = broker.list_topics(timeout=10).brokers[1]
    where = f"{address.host}:{address.port}"
    values = {"hostport": where, "topic": "falco", "topiccreation": True, "compression": "GZIP"}
    assert deliver("kafka", values, [ALERT, OTHER]) == [delivered()] * 2
    consumer = kafka.Consumer({"bootstrap.servers": where, "group.id": "t", "auto.offset.reset": "earliest"})
    consumer.subscribe(["falco"])
    found: list[object] = []
    settled(
        lambda: (
            found.extend(json.loads(m.value()) for m in consumer.consume(2, 1) if not m.error())
            or len(found) == 2
        )
    )
    consumer.close()
    assert sorted(map(str, found)) == sorted(map(str, EXPECTED))


def test_kafka_is_asked_again_when_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.outputs.kafka.PATIENCE", 0.2)
    values = {"hostport": f"127.0.0.1:{free_port()}", "topic": "falco"}
    (answer,) = deliver("kafka", values, [ALERT])
    assert answer.outcome is Outcome.RETRY
