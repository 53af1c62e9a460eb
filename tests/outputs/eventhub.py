"""Event Hubs over AMQP 1.0, strict: tokens are checked by their signature, events only come in behind a good one.

It runs in the Python of the system, which has Proton, an AMQP implementation apart from the one that the product uses:
`python3 eventhub.py PORT HUB KEY_NAME KEY`. Each event that came in is a line of JSON on standard output.

https://learn.microsoft.com/azure/event-hubs/authenticate-shared-access-signature
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import struct
import sys
import threading
import time
import urllib.parse

import proton
from proton.handlers import Handshaker
from proton.reactor import Container

BATCH = 0x80013700  # message format of several events in one message
LARGEST = 1 << 20


class Hub(proton.Handler):
    """Answers one producer after the other."""

    def __init__(self, port, inner, hub, key_name, key):
        self.port, self.inner = port, inner
        self.hub, self.key_name, self.key = hub, key_name, key
        self.trusted = set()
        self.replies = {}
        self.handlers = [Handshaker()]

    def on_reactor_init(self, event):
        event.container.listen(f"127.0.0.1:{self.inner}")
        threading.Thread(target=carry, args=(self.port, self.inner), daemon=True).start()

    def on_connection_bound(self, event):
        event.transport.max_frame_size = 1 << 16

    def on_link_remote_open(self, event):
        link = event.link
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        if link.is_sender:
            self.replies[link.connection] = link
        else:
            link.max_message_size = LARGEST
            link.flow(300)

    def on_delivery(self, event):
        delivery, link = event.delivery, event.link
        if not link.is_receiver or not delivery.readable or delivery.partial:
            return
        raw = link.recv(delivery.pending)
        link.advance()
        if link.remote_target.address == "$cbs":
            self.judge(event, raw)
            delivery.update(proton.Delivery.ACCEPTED)
        elif link.remote_target.address.rpartition("/")[2] not in self.trusted:
            delivery.local.condition = proton.Condition("amqp:unauthorized-access", "Unauthorized access.")
            delivery.update(proton.Delivery.REJECTED)
        else:
            for body in events(raw):
                print(json.dumps(body), flush=True)
            delivery.update(proton.Delivery.ACCEPTED)
        delivery.settle()
        link.flow(1)

    def judge(self, event, raw):
        """Check a token, and say whether it is good."""
        asked = proton.Message()
        asked.decode(raw)
        status, words = self.verdict(asked)
        answer = proton.Message(correlation_id=asked.id, address=asked.reply_to)
        answer.properties = {"status-code": proton.int32(status), "status-description": words}
        sender = self.replies[event.connection]
        sender.send(answer)

    def verdict(self, asked):
        """Status and words for a token."""
        told = asked.properties
        if told.get("operation") != "put-token" or told.get("type") != "servicebus.windows.net:sastoken":
            return 400, "not a request for a token"
        kind, _, rest = str(asked.body).partition(" ")
        parts = dict(urllib.parse.parse_qsl(rest))
        signed = f"{urllib.parse.quote_plus(parts.get('sr', ''))}\n{parts.get('se')}"
        good = base64.b64encode(
            hmac.new(self.key.encode(), signed.encode(), hashlib.sha256).digest()
        ).decode()
        if kind != "SharedAccessSignature" or parts.get("skn") != self.key_name or parts.get("sig") != good:
            return 401, "InvalidSignature: The token has an invalid signature."
        if float(parts["se"]) < time.time():
            return 401, "ExpiredToken: The token is expired."
        if told["name"].rpartition("/")[2] != self.hub or parts["sr"].rpartition("/")[2] != self.hub:
            return 404, f"The messaging entity '{told['name']}' could not be found."
        self.trusted.add(self.hub)
        return 202, "Accepted"


# Fields of each performative (AMQP 1.0, 2.7), by its code.
FIELDS = {0x10: 10, 0x11: 8, 0x12: 14, 0x13: 11, 0x14: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1}

NULL = b"\x40"
DEFAULTS = {(0x11, 4): b"\x70" + b"\xff" * 4}  # handle-max of a session: all that fit an unsigned number


def filled(frame):
    """A frame with all its fields: those at the end may be left out where the default is meant, but the service sends
    them, and its library counts on that."""
    if len(frame) < 12 or frame[5] != 0 or frame[8:10] != b"\x00\x53":
        return frame
    kind, at = frame[11], 12
    if kind == 0x45:
        size, count = 0, 0
    elif kind == 0xC0:
        size, count, at = frame[12] - 1, frame[13], 14
    else:
        size, count = struct.unpack(">II", frame[12:20])
        size, at = size - 4, 20
    code = frame[10]
    more = [DEFAULTS.get((code, place), NULL) for place in range(count, FIELDS[code])]
    fields = frame[at : at + size] + b"".join(more)
    body = b"\xd0" + struct.pack(">II", len(fields) + 4, count + len(more)) + fields + frame[at + size :]
    return struct.pack(">I", 11 + len(body)) + frame[4:11] + body


def exactly(link, size):
    """So many bytes of a connection."""
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def carry(port, inner):
    """Hand each connection on to Proton, and its frames back filled."""
    with socket.create_server(("127.0.0.1", port)) as door:
        while True:
            client, _ = door.accept()
            server = socket.create_connection(("127.0.0.1", inner))
            threading.Thread(target=forth, args=(client, server), daemon=True).start()
            threading.Thread(target=back, args=(server, client), daemon=True).start()


def forth(client, server):
    """Bytes of the client, as they are."""
    with contextlib.suppress(OSError):
        while data := client.recv(1 << 16):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)


def back(server, client):
    """Frames of Proton, filled; a header of a protocol passes."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            head = exactly(server, 8)
            if head.startswith(b"AMQP"):
                client.sendall(head)
                continue
            rest = exactly(server, struct.unpack(">I", head[:4])[0] - 8)
            client.sendall(filled(head + rest))
    client.close()


def sections(raw):
    """The data sections of a message; what stands before them is annotated and skipped."""
    data, at = proton.Data(), 0
    while at < len(raw):
        data.clear()
        at += data.decode(raw[at:])
        data.rewind()
        data.next()
        described = data.get_py_described()
        if described.descriptor == 0x75:
            yield bytes(described.value)


def events(raw):
    """The events of a message: of a batch each data section is one."""
    for inner in sections(raw):
        message = proton.Message()
        message.decode(inner)
        body = bytes(message.body).decode()
        yield {"id": message.id, "type": str(message.content_type), "body": json.loads(body)}


if __name__ == "__main__":
    port, hub, key_name, key = sys.argv[1:]
    with socket.create_server(("127.0.0.1", 0)) as found:
        inner = found.getsockname()[1]
    Container(Hub(int(port), inner, hub, key_name, key)).run()
