"""Files of JSON lines: one object per line, appended while a run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rlplat.runs.durable import write_text

_BLOCK = 16384
"""Bytes read at a time from the end of a file; a metrics line has one to three thousand."""


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file in order; a line torn by a kill, and a missing file, yield nothing."""
    if not path.exists():
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = _parse(line)
            if found is not None:
                yield found


def read_last_line(path: Path) -> dict[str, Any] | None:
    """Return the last whole object of a file, reading no more of it than needed; None if there is none."""
    try:
        with open(path, "rb") as file:
            position = file.seek(0, os.SEEK_END)
            tail = b""
            while position > 0:
                step = min(_BLOCK, position)
                position -= step
                file.seek(position)
                tail = file.read(step) + tail
                # The first piece may be the end of a line whose beginning was not read yet.
                lines = tail.split(b"\n")[0 if position == 0 else 1 :]
                for line in reversed(lines):
                    found = _parse(line.decode("utf-8", errors="replace"))
                    if found is not None:
                        return found
    except FileNotFoundError:
        pass
    return None


def keep_steps(path: Path, last_step: int) -> None:
    """Rewrite a file in one step without the lines whose `step` lies after `last_step`, and without torn lines."""
    if not path.exists():
        return
    kept = [line for line in read_lines(path) if line.get("step", 0) <= last_step]
    write_text(path, "".join(json.dumps(line) + "\n" for line in kept))


def _parse(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
