"""Writes that a kill, a power cut or a full disk cannot leave half done."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""No space on the device, quota exceeded, file size limit reached: for the user all are a full disk."""


def is_disk_full(error: OSError) -> bool:
    """Tell whether an error means that there was no room to write."""
    return error.errno in _FULL


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, from the system's cache to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step, see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file in one step: readers and survivors of a kill see the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step; numbers that JSON does not know (NaN, infinity) become null."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types: NumPy scalars as numbers, paths as text, NaN and infinity as None.

    Raises TypeError for anything else that JSON cannot hold.
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")


class Appender:
    """Adds records to the end of a file. A record lands whole or, when writing fails, not at all."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises OSError."""
        # Unbuffered: what `append` returned from is in the system's hands, so a kill of this process loses nothing.
        self._file = io.FileIO(path, "a")
        self._end = self._file.tell()

    def append(self, record: bytes) -> None:
        """Write one record; raises OSError, and then the file is as it was before."""
        left = memoryview(record)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            # Cutting a file needs no space, but a disk that is gone refuses this too.
            with contextlib.suppress(OSError):
                self._file.truncate(self._end)
            raise
        self._end += len(record)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
