"""Ends the process when something does not come back: a driver that hangs can be stopped in no other way."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""
POLL_S = 0.5


class Watchdog:
    """Watches over pieces of work, one at a time, from a thread of its own, which costs the work a microsecond.

    When a piece takes longer than `limit_s`, `message` and the stack of every thread go to standard error, and the
    process ends with `EXIT_CODE`. Who started it, a pool of actors or a user, learns of it as of any death.
    The work must release the interpreter lock.
    """

    def __init__(self, message: str, limit_s: float) -> None:
        self._message, self._limit_s = message, limit_s
        self._begun: float | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch over what is done inside."""
        if self._thread is None or not self._thread.is_alive():  # a fork leaves threads behind
            self._thread = threading.Thread(target=self._wait, name="watchdog", daemon=True)
            self._thread.start()
        self._begun = time.monotonic()
        try:
            yield
        finally:
            self._begun = None

    def _wait(self) -> None:
        while True:
            time.sleep(min(POLL_S, self._limit_s))
            begun = self._begun
            if begun is not None and time.monotonic() - begun > self._limit_s:
                print(self._message, file=sys.stderr, flush=True)
                faulthandler.dump_traceback()
                os._exit(EXIT_CODE)
