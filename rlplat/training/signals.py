"""The wish that a run end, as signals bring it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_log = logging.getLogger(__name__)


class StopSignals:
    """Notes SIGINT and SIGTERM. The second of them raises KeyboardInterrupt where it strikes."""

    def __init__(self) -> None:
        self.requested = False
        self._strikes = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that the first signal ends at once; outside, it waits until `requested` is looked at."""
        self._strikes = True
        try:
            yield
        except KeyboardInterrupt:
            if not self.requested:
                raise
        finally:
            self._strikes = False

    def _note(self, number: int, _: FrameType | None) -> None:
        again, self.requested = self.requested, True
        if again:
            raise KeyboardInterrupt
        if self._strikes:
            _log.warning("%s: stopping", signal.Signals(number).name)
            raise KeyboardInterrupt
        _log.warning("%s: stopping after this turn, with a checkpoint", signal.Signals(number).name)
