"""A sender to measure with: posts bodies over many connections, each as soon as the one before is answered.

Runs in a process of its own (`python -m eyas.scene.posting URL COUNT FILE`), so that its work is not counted.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 64


def connect(url: str, count: int) -> list[socket.socket]:
    """Connections to a listener on this machine; its certificate is not checked."""
    place = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    made = []
    for _ in range(count):
        plain = socket.create_connection((place.hostname, place.port))
        made.append(context.wrap_socket(plain) if place.scheme == "https" else plain)
    return made


def requests(url: str, bodies: list[bytes]) -> list[bytes]:
    """Whole requests as they go over the line."""
    head = (
        f"POST {urlsplit(url).path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    )
    return [head.encode() + b"%d\r\n\r\n%s" % (len(body), body) for body in bodies]


def post(url: str, count: int, bodies: list[bytes]) -> int:
    """Post `count` bodies; how many were answered with 200."""
    lines = connect(url, min(CONNECTIONS, count))
    waiting = islice(cycle(requests(url, bodies)), count)
    good = 0
    while batch := list(zip(lines, waiting, strict=False)):
        for line, request in batch:
            line.sendall(request)
        good += sum(_is_good(line) for line, _ in batch)
    return good


def _is_good(line: socket.socket) -> bool:
    """Whether the next answer, which has no body, is good."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = line.recv(4096)
        if not part:
            raise http.client.HTTPException("the connection was closed")
        answer += part
    return answer.startswith(b"HTTP/1.1 200 ")


if __name__ == "__main__":
    print(post(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_bytes().splitlines()))
