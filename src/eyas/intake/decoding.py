"""Files of sources whose records Python makes, as the lines that the core reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyas.errors import RunError
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
        records = source.decode(opened(path.read_bytes(), LIMIT))
        with tempfile.NamedTemporaryFile(prefix="eyas-", suffix=".jsonl") as made:
            for record in records:
                made.write(record.line() + b"\n")
            made.flush()
            os.utime(made.name, ns=(came := path.stat().st_mtime_ns, came))  # for what says no time
            yield Path(made.name)
    except OSError as error:
        raise RunError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{path}: not the records of {source.name}: {error}") from None
