"""The numbers of a run: JSON lines for programs, TensorBoard for people, written together."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from rlplat.runs import events
from rlplat.runs.durable import Appender, plain
from rlplat.runs.folder import RunFolder
from rlplat.runs.lines import keep_steps

_log = logging.getLogger(__name__)


class MetricsWriter:
    """Writes metrics, texts and images of one run. Called from one thread, by the holder of the run's lock.

    Metrics are worth less than the run: an error of the disk costs what could not be written and one warning, and
    the writer tries again with the next call.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        layout: events.Layout,
        hparams: Mapping[str, events.HParam],
        purge_from: int | None = None,
    ) -> None:
        """Start writing.

        Args:
            folder: the run.
            layout: TensorBoard's custom layout: category -> chart -> exact names of metrics.
            hparams: the run's hyper-parameters, by dotted name.
            purge_from: the step of the checkpoint that a resumed run continues from, see `rewind`; None for a new run.
        """
        self._folder = folder
        self._lines: Appender | None = None
        self._failed = False
        self._non_finite: set[str] = set()
        self._opening = [events.layout(layout), events.hparams_start(hparams)]
        self._last_step = 0
        self._events = events.EventFile(folder.path, self._opening)
        if purge_from is not None:
            self.rewind(purge_from)

    def rewind(self, step: int) -> None:
        """Drop everything written for steps after `step`, since the run will write it again; -1 drops everything."""
        self.close()
        self._last_step = max(0, step)
        self._events = events.EventFile(self._folder.path, [events.restart(step + 1), *self._opening])
        with self._tolerant():
            keep_steps(self._folder.metrics_path, step)
            events.keep_steps(self._folder.path, step)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write one line to metrics.jsonl (`step`, `time` in seconds since 1970, then the metrics) and one point of
        each metric to TensorBoard. NaN and infinity become null in the line; each metric's first is warned of.
        """
        values = {name: float(value) for name, value in metrics.items()}
        self._warn_of_non_finite(step, values)
        self._last_step = step
        line = json.dumps({"step": step, "time": round(time.time(), 3)} | plain(values), allow_nan=False)
        with self._tolerant():
            self._append_line(line)
        with self._tolerant():
            self._events.add(events.scalars(step, values))

    def text(self, step: int, tag: str, markdown: str) -> None:
        """Show a text (Markdown) in TensorBoard."""
        with self._tolerant():
            self._events.add(events.text(step, tag, markdown))

    def image(self, step: int, tag: str, pixels: np.ndarray[Any, Any]) -> None:
        """Show an image in TensorBoard: `pixels` uint8 `[H, W, C]`, C 1 (grey), 3 (RGB) or 4 (RGBA)."""
        with self._tolerant():
            self._events.add(events.image(step, tag, pixels))

    def video(self, step: int, tag: str, frames: np.ndarray[Any, Any], frames_per_s: float) -> None:
        """Show a film, uint8 `[T, H, W, 3]`, in TensorBoard."""
        with self._tolerant():
            self._events.add(events.video(step, tag, frames, frames_per_s))

    def hparams_result(self, metrics: Mapping[str, float]) -> None:
        """Write the run's final results at its last step and mark it as done in TensorBoard's HParams table.

        Only for a run that reached its budget: TensorBoard believes the first such mark, also after a resume.
        """
        self.write(self._last_step, metrics)
        with self._tolerant():
            self._events.add(events.hparams_end())

    def close(self) -> None:
        """Close the files. A later call of `write` would begin new ones."""
        with self._tolerant():
            if self._lines is not None:
                self._lines.close()
                self._lines = None
            self._events.close()

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append_line(self, line: str) -> None:
        if self._lines is None:
            self._lines = Appender(self._folder.metrics_path)
        self._lines.append(line.encode() + b"\n")

    def _warn_of_non_finite(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value) and name not in self._non_finite:
                self._non_finite.add(name)
                _log.warning("metric %s is %s at step %d; metrics.jsonl holds null for it", name, value, step)

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._failed:
                _log.warning("metrics of %s cannot be written: %s; training goes on", self._folder.path, error)
            self._failed = True
