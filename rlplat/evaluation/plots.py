"""Curves of an episode as a picture: one panel under the other, all over the same time.

An environment names its curves itself: a method `curves()` of its vector returns `{panel: {line: [N]}}`, numbers of now
for N environments, whose panels are titles with units. `metadata["step"]` may say how long a step is, such as
`(0.25, "hours")`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rlplat.environments.task_vector import Curves, TaskVector

WIDTH, HEIGHT = 900, 190
"""Of a panel, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 72, 168, 28, 26
"""Margins of a panel: numbers, names of lines, title, time."""
SHARPNESS = 2
"""Lines are drawn so many times as large, and brought down to size, which smooths them."""
INK, FAINT, PAPER = (40, 40, 40), (222, 222, 222), (255, 255, 255)
COLOURS = (
    (31, 119, 180), (214, 96, 20), (44, 140, 60), (190, 40, 60), (120, 90, 170), (110, 110, 110), (0, 160, 170),
)  # fmt: skip

Picture = NDArray[np.uint8]


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
        """Draw the first `until` notes of one episode; None if there is nothing to draw."""
        if not self._values:
            return None
        panels = {
            panel: {line: np.stack(values)[:until, index] for line, values in lines.items()}
            for panel, lines in self._values.items()
        }
        return draw_curves(np.array(self._times[:until]), panels, self._vector.step_length[1])


def draw_curves(times: NDArray[np.float64], panels: Curves, unit: str) -> Picture:
    """Return a picture of curves over times `[T]`; what is not finite leaves a gap."""
    return np.concatenate([_panel(times, title, lines, unit) for title, lines in panels.items()])


def _panel(times: NDArray[np.float64], title: str, lines: Mapping[str, NDArray[Any]], unit: str) -> Picture:
    values = np.concatenate([np.asarray(line, np.float64) for line in lines.values()])
    low, high, step = _scale(values[np.isfinite(values)])
    canvas = Image.new("RGB", (WIDTH * SHARPNESS, HEIGHT * SHARPNESS), PAPER)
    pen = ImageDraw.Draw(canvas)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    span = max(float(times[-1] - times[0]), 1e-9) if len(times) else 1.0

    def x(time: float) -> float:
        return float(SHARPNESS * (LEFT + width * (time - times[0]) / span))

    def y(value: float) -> float:
        return SHARPNESS * (TOP + height * (high - value) / (high - low))

    right = SHARPNESS * (LEFT + width)
    small = ImageFont.load_default(12 * SHARPNESS)
    for number in np.arange(round((high - low) / step) + 1) * step + low:
        pen.line([(SHARPNESS * LEFT, y(number)), (right, y(number))], fill=FAINT, width=SHARPNESS)
        pen.text((SHARPNESS * (LEFT - 8), y(number)), f"{number:.6g}", fill=INK, font=small, anchor="rm")
    for time in _marks(times):
        pen.text((x(time), SHARPNESS * (HEIGHT - BOTTOM + 4)), f"{time:.6g}", fill=INK, font=small, anchor="ma")
    pen.text((right + 8 * SHARPNESS, SHARPNESS * (HEIGHT - BOTTOM + 4)), unit, fill=INK, font=small)
    pen.text((SHARPNESS * LEFT, SHARPNESS * 6), title, fill=INK, font=ImageFont.load_default(14 * SHARPNESS))
    for index, (name, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        for run in _finite_runs(np.asarray(line, np.float64)):
            points = [(x(times[k]), y(line[k])) for k in run]
            pen.line(points * 2 if len(points) == 1 else points, fill=colour, width=3 * SHARPNESS // 2, joint="curve")
        at = (right + 8 * SHARPNESS, SHARPNESS * (TOP + 17 * index))
        pen.line([at[0], at[1] + 8 * SHARPNESS, at[0] + 14 * SHARPNESS, at[1] + 8 * SHARPNESS], fill=colour, width=4)
        pen.text((at[0] + 20 * SHARPNESS, at[1]), name, fill=INK, font=small)
    return np.asarray(canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _scale(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the ends of an axis that holds finite values, and the step of its three to six marks."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    step = _round_step((high - low) / 4)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step), step


def _round_step(rough: float) -> float:
    """Return the least of 1, 2, 5, 10, ... times a power of ten that is no less than `rough`."""
    power = 10.0 ** np.floor(np.log10(rough))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9)))


def _marks(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return round times between the ends of `[T]`."""
    if len(times) < 2:
        return times
    step = _round_step(float(times[-1] - times[0]) / 8)
    return np.arange(np.ceil(times[0] / step), np.floor(times[-1] / step) + 1) * step


def _finite_runs(line: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the places of finite values, unbroken runs apart."""
    finite = np.flatnonzero(np.isfinite(line))
    return [run for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1) if len(run)]
