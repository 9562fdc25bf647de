"""What a command found, in one form for people and for programs.

A result has a stable dotted name (docs/cli.md lists them), a value and a unit; a report adds what it was made on.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rlplat.errors import RlplatError
from rlplat.hardware import hardware, versions


class Result:
    """One named finding.

    `value` is a number, a text, a truth value or None; `unit` is a text such as `simulations/s` (empty: none);
    `fields` are whatever else belongs to it (an interval, a number of games) and must fit JSON.
    """

    def __init__(self, name: str, value: float | str | None, unit: str = "", **fields: Any) -> None:
        self.name = name
        self.value = value
        self.unit = unit
        self.fields = fields

    def __repr__(self) -> str:
        return f"Result({self.to_dict()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # fields may be lists

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "unit": self.unit, **self.fields}


def report(command: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return `{command, hardware, versions, results}`, ready for JSON."""
    return {
        "command": command,
        "hardware": hardware(),
        "versions": versions(),
        "results": [result.to_dict() for result in results],
    }


def write_json(report: dict[str, Any], target: str) -> None:
    """Write a report as one JSON object to a file, or to standard output where `target` is `-`.

    Numbers that JSON lacks (infinities, nan) become null.
    """
    text = json.dumps(_finite(report), indent=2, default=_plain) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RlplatError(
            f"--json {target}: it cannot be written: {error.strerror}; name a file, or - for standard output"
        ) from error


def check_target(target: str) -> None:
    """Raise RlplatError if a report could not be written there: before the work, not after it."""
    folder = Path(target).absolute().parent
    if target != "-" and (not folder.is_dir() or Path(target).is_dir()):
        problem = "it is a folder" if Path(target).is_dir() else f"there is no folder {folder}"
        raise RlplatError(f"--json {target}: {problem}; name a file, or - for standard output")


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send everything that is printed meanwhile, by C++ and by child processes too, to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """Turn what numpy and pathlib make into what JSON has."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
