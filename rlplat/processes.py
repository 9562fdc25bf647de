"""Processes that may outlive the one that started them, told from later ones of the same number."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

CLOCK_S = 2.0
"""Times of birth are counted from the time of the start of the system, which moves when the clock is corrected."""

KILL_S = 10.0
"""How long the system may take to end a process that was killed; one that waits for a disk goes only then."""


@dataclass(frozen=True)
class ProcessName:
    """A process by its number and the time when it began."""

    pid: int
    created_s: float
    """Seconds since 1970."""

    def process(self) -> psutil.Process | None:
        """The process; None if it has ended, whoever bears its number now."""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created_s) < CLOCK_S
            if same and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None


def with_descendants(pids: Iterable[int]) -> list[ProcessName]:
    """Return the processes and all that they have started, directly or not."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    found.append(ProcessName(process.pid, process.create_time()))
    return found


@contextlib.contextmanager
def no_orphans() -> Iterator[None]:
    """End all that this process has started in the block, directly or not, if an error or a signal breaks it off."""
    before = set(with_descendants([os.getpid()]))
    try:
        yield
    except BaseException:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if ProcessName(child.pid, child.create_time()) not in before:
                    child.suspend()  # so that it starts no further ones while they are counted
        end((), set(with_descendants([os.getpid()])) - before, grace_s=0.0)
        raise


def end(roots: Iterable[ProcessName], others: Iterable[ProcessName], grace_s: float) -> int:
    """Ask the roots to end and wait; kill what is left of them and of the others. Returns how many were killed."""
    for root in roots:
        if process := root.process():
            with contextlib.suppress(psutil.Error):
                process.terminate()
    everyone = {*roots, *others}
    _await_end(everyone, grace_s)
    killed = 0
    for left in everyone:
        if process := left.process():
            with contextlib.suppress(psutil.Error):
                process.kill()
                killed += 1
    _await_end(everyone, KILL_S)
    return killed


def _await_end(everyone: Iterable[ProcessName], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and any(each.process() for each in everyone):
        time.sleep(0.1)
