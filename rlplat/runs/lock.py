"""The lock of a run: one process trains it at a time, and the others learn who does."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rlplat.errors import RunError
from rlplat.runs.durable import write_json

_LOCK_FILE = ".lock"
_HOLDER_FILE = "holder.json"
_WAIT_S = 1.0
"""`is_locked` holds a lock for a moment to see whether it is free; a run that starts just then waits this long."""


@contextlib.contextmanager
def hold(run: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; raises RunError that names the process which holds it already.

    The system frees the lock when its holder dies, however it dies.
    """
    lock = _lock_of(run)
    try:
        lock.acquire(timeout=_WAIT_S, poll_interval=0.05)
    except Timeout as error:
        holder = _read_holder(run)
        raise RunError(
            f"{run} is being trained by process {holder.get('pid', '(unknown)')} on host "
            f"{holder.get('host', '(unknown)')} since {holder.get('since', '(unknown)')}; "
            "wait for it, stop it, or choose another --run-dir"
        ) from error
    except OSError as error:
        raise RunError(f"{run} cannot be locked: {error.strerror}; check its permissions") from error
    try:
        for leftover in run.glob(".*.tmp"):  # of writers that were killed
            leftover.unlink(missing_ok=True)
        holder = {"pid": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        with contextlib.suppress(OSError):  # the lock holds without its holder's name, too
            write_json(run / _HOLDER_FILE, holder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (run / _HOLDER_FILE).unlink(missing_ok=True)
        lock.release()


def is_locked(run: Path) -> bool:
    """Tell whether a living process holds the run; True also where that cannot be found out."""
    if not (run / _LOCK_FILE).exists():
        return False
    try:
        with _lock_of(run).acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True


def _lock_of(run: Path) -> FileLock:
    return FileLock(run / _LOCK_FILE, thread_local=False)


def _read_holder(run: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((run / _HOLDER_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
