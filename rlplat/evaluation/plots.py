"""Curves of an episode as a picture: one panel under the other, all over the same time. Drawn by matplotlib.

An environment names its curves itself: a method `curves()` of its vector returns `{panel: {line: [N]}}`, numbers of now
for N environments, whose panels are titles with units. `metadata["step"]` may say how long a step is, such as
`(0.25, "hours")`.
"""

from __future__ import annotations

import importlib.util
import logging
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplat.environments.task_vector import Curves, TaskVector

WIDTH, HEIGHT = 900, 190
"""Of a panel, in pixels."""
DPI = 100

Picture = NDArray[np.uint8]

_log = logging.getLogger(__name__)


class Recorder:
    """Keeps the curves of N episodes, step by step."""

    def __init__(self, vector: TaskVector) -> None:
        self._vector = vector
        self._times: list[float] = []
        self._values: defaultdict[str, defaultdict[str, list[NDArray[Any]]]]
        self._values = defaultdict(lambda: defaultdict(list))

    def add(self, num_steps: int) -> None:
        """Note the numbers of now, after so many steps; nothing of an environment that names no curves."""
        for panel, lines in self._vector.curves().items():
            for line, values in lines.items():
                self._values[panel][line].append(np.array(values, np.float64))
        self._times.append(num_steps * self._vector.step_length[0])

    def picture(self, index: int, until: int) -> Picture | None:
        """Draw the first `until` notes of one episode; None if there is nothing to draw, or nothing to draw with."""
        if not self._values:
            return None
        if importlib.util.find_spec("matplotlib") is None:
            _log.warning("no curves are drawn: matplotlib is not installed (pip install 'rlplat[farm]')")
            return None
        panels = {
            panel: {line: np.stack(values)[:until, index] for line, values in lines.items()}
            for panel, lines in self._values.items()
        }
        return draw_curves(np.array(self._times[:until]), panels, self._vector.step_length[1])


def draw_curves(times: NDArray[np.float64], panels: Curves, unit: str) -> Picture:
    """Return a picture `[panels * HEIGHT, WIDTH, 3]` of curves over times `[T]`; what is not finite leaves a gap."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDTH / DPI, len(panels) * HEIGHT / DPI), dpi=DPI, layout="constrained")
    all_axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (title, lines) in zip(all_axes, panels.items(), strict=True):
        for name, line in lines.items():
            values = np.asarray(line, np.float64)
            axes.plot(times, np.where(np.isfinite(values), values, np.nan), label=name)
        axes.set_title(title, loc="left", size="medium")
        axes.grid(alpha=0.4)
        axes.margins(x=0)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize="small")
    all_axes[-1].set_xlabel(unit)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[:, :, :3]
