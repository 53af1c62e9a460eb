"""What processes do with sockets and descriptors."""

from __future__ import annotations

from eyas.scene.cast import Process
from eyas.scene.script import Line
from eyas.scene.stage import Stage
from eyas.scene.verbs.event import happen
from eyas.scene.wording import given, needed, number


def connect(stage: Stage, actor: Process, line: Line) -> None:
    """`connect ADDRESS:PORT [udp]`, or the path of a unix socket."""
    address = needed(line, 0, "an address such as 1.2.3.4:443, or a path").text
    unix = address.startswith(("/", "@"))
    domain = "AF_UNIX" if unix else "AF_INET6" if address.startswith("[") else "AF_INET"
    udp = any(word.text == "udp" for word in line.plain[1:])
    fd = actor.new_fd()
    stage.emit(actor, "socket", fd=fd, domain=domain, type=2 if udp else 1, proto=0)
    ends = f"ffff0001->ffff0002 {address}" if unix else stage.tuple_to(address)
    happen(stage, actor, "connect", {"fd": fd, "tuple": ends, "addr": address, **given(line)})


def listen(stage: Stage, actor: Process, line: Line) -> None:
    """`listen ADDRESS:PORT`: socket, bind and listen."""
    address = needed(line, 0, "an address such as 0.0.0.0:4444").text
    fd = actor.new_fd()
    stage.emit(actor, "socket", fd=fd, domain="AF_INET6" if "[" in address else "AF_INET", type=1, proto=0)
    stage.emit(actor, "bind", fd=fd, addr=address)
    stage.emit(actor, "listen", fd=fd, backlog=5)


def accept(stage: Stage, actor: Process, line: Line) -> None:
    """`accept CLIENT->SERVER`: a connection comes in."""
    ends = needed(line, 0, "both ends, 5.6.7.8:5555->10.0.0.2:80").text
    happen(stage, actor, "accept4", {"tuple": ends, **given(line)})


def send(stage: Stage, actor: Process, line: Line) -> None:
    """`send ADDRESS:PORT`: a datagram from a new UDP socket."""
    address = needed(line, 0, "an address such as 1.2.3.4:53").text
    fd = actor.new_fd()
    stage.emit(actor, "socket", fd=fd, domain="AF_INET", type=2, proto=0)
    params = {"res": 32, "size": 32, "fd": fd, "tuple": stage.tuple_to(address), **given(line)}
    happen(stage, actor, "sendto", params)


def duplicate(stage: Stage, actor: Process, line: Line) -> None:
    """`dup OLD NEW`: descriptor NEW becomes OLD; `last` is what the process opened last."""
    first = needed(line, 0, "a descriptor or `last`")
    old = actor.next_fd - 1 if first.text == "last" else number(first)
    new = number(needed(line, 1, "a descriptor"))
    stage.emit(actor, "dup2", res=new, oldfd=old, newfd=new)
