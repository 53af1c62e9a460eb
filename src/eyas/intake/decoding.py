"""Files of sources whose records Python makes, as the lines that the core reads."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eyas.errors import RunError
from eyas.sources import documents
from eyas.sources.card import Source
from eyas.transports.unpack import opened

LIMIT = 1 << 30


@contextmanager
def decoded(path: Path, source: Source) -> Iterator[Path]:
    """The file itself, or one with its records, where the source has a decoder of its own."""
    if source.decode is None:
        yield path
        return
    try:
        lines = documents.Lines(opened(path.read_bytes(), LIMIT), source)
        with tempfile.NamedTemporaryFile(prefix="eyas-", suffix=".jsonl") as made:
            for line in lines:
                made.write(line + b"\n")
            made.flush()
            if lines.fault:
                _log().error(
                    "not the records of the source", source=source.name, file=str(path), reason=lines.fault
                )
            os.utime(made.name, ns=(came := path.stat().st_mtime_ns, came))  # for what says no time
            yield Path(made.name)
    except OSError as error:
        raise RunError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise RunError(f"{path}: not the records of {source.name}: {error}") from None


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.intake")
