"""Types of the compiled core; `stubtest` compares them with the module."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, final

__version__: str

Given = bool | int | str | bytes | Iterable[str | bytes] | None

class CoreError(ValueError): ...

@final
class Program:
    def __new__(cls, ir: bytes) -> Program: ...

@final
class Match:
    @property
    def rule(self) -> int: ...
    @property
    def num(self) -> int: ...
    @property
    def ts(self) -> int: ...
    @property
    def event(self) -> str: ...
    @property
    def values(self) -> list[tuple[str, Any]]: ...

@final
class Replay:
    def __new__(
        cls,
        path: str,
        program: Program | None = None,
        *,
        write: str | None = None,
        keep: Program | None = None,
        repeat: int = 1,
    ) -> Replay: ...
    def next(self, max_events: int) -> tuple[list[Match], bool]: ...
    def stats(self) -> dict[str, Any]: ...

@final
class CaptureWriter:
    def __new__(cls, path: str | None = None) -> CaptureWriter: ...
    def snapshot(self, json: bytes) -> None: ...
    def event(
        self,
        name_or_id: str | int,
        ts: int,
        tid: int,
        params: Mapping[str, Given],
        *,
        cpu: int = 0,
        dump_flags: int = 0,
    ) -> None: ...
    def close(self) -> bytes | None: ...

@final
class Lines:
    def __iter__(self) -> Iterator[str]: ...
    def __next__(self) -> str: ...

def catalog() -> bytes: ...
def explain(path: str, program: Program, rule: int, num: int) -> bytes: ...
def field_values(path: str, fields: list[str]) -> Lines: ...
def bench_read(path: str, repeat: int = 1) -> tuple[int, float]: ...
