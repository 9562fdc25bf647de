"""A greenhouse from the side, drawn for people: sky, vents, heating pipes, CO2 in the air, and the crop as it grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 512, 256

_GROUND, _SOIL, _FRAME, _INK = (92, 84, 72), (70, 58, 46), (122, 132, 144), (20, 24, 28)
_NIGHT, _DAY, _GREY = np.array([18, 24, 48]), np.array([150, 205, 250]), np.array([176, 184, 192])
_COLD, _HOT, _LEAF, _CO2 = np.array([120, 122, 126]), np.array([226, 60, 30]), (70, 140, 52), (96, 96, 104)
_LEFT, _RIGHT, _EAVES, _RIDGE, _FLOOR = 70, 350, 110, 60, 216
_NUM_PLANTS = 9
_FULL_SUN_W_PER_M2, _HEAD_G_PER_M2, _MOST_PPM = 700.0, 500.0, 1600.0


@dataclass(frozen=True)
class Moment:
    """What is drawn, each a number."""

    inside: NDArray[np.floating]
    """As sensors show it: dry weight g m-2, CO2 ppm, temperature C, relative humidity %."""
    outside: NDArray[np.floating]
    """Radiation W m-2, CO2 ppm, temperature C, relative humidity %."""
    controls: NDArray[np.floating]
    """CO2 supply, ventilation and heating from 0 to 1."""


def draw_greenhouse(moment: Moment) -> NDArray[np.uint8]:
    """Return a picture uint8 `[256, 512, 3]`."""
    supply, vents, heating = (float(value) for value in moment.controls)
    sun = min(float(moment.outside[0]) / _FULL_SUN_W_PER_M2, 1.0)
    sky = _colour(_NIGHT, _DAY if sun > 0.35 else _GREY, min(3 * sun, 1.0))
    picture = Image.new("RGB", (WIDTH, HEIGHT), sky)
    pen = ImageDraw.Draw(picture)
    pen.rectangle([0, _FLOOR, WIDTH, HEIGHT], fill=_GROUND)
    if sun > 0:
        pen.ellipse([18, 16, 18 + 10 + 24 * sun, 16 + 10 + 24 * sun], fill=(255, 226, 120))
    _air(pen, float(moment.inside[1]) / _MOST_PPM, sky)
    _crop(pen, float(moment.inside[0]) / _HEAD_G_PER_M2)
    pen.line([(_LEFT + 8, _FLOOR - 4), (_RIGHT - 8, _FLOOR - 4)], fill=_colour(_COLD, _HOT, heating), width=5)
    _frame(pen, vents)
    _words(pen, moment, (supply, vents, heating))
    return np.asarray(picture)


def _air(pen: ImageDraw.ImageDraw, share: float, sky: tuple[int, ...]) -> None:
    """Fill the house, with a dot for every hundredth of the most CO2 that is usual."""
    pale = tuple((3 * part + 235) // 4 for part in sky)
    middle = (_LEFT + _RIGHT) // 2
    pen.polygon([(_LEFT, _FLOOR), (_LEFT, _EAVES), (middle, _RIDGE), (_RIGHT, _EAVES), (_RIGHT, _FLOOR)], fill=pale)
    places = np.random.default_rng(0).random((100, 2))
    for x, y in places[: round(100 * min(share, 1.0))]:
        at = _LEFT + 8 + x * (_RIGHT - _LEFT - 16), _EAVES + 4 + y * 80
        pen.ellipse([at[0] - 1, at[1] - 1, at[0] + 1, at[1] + 1], fill=_CO2)


def _crop(pen: ImageDraw.ImageDraw, share: float) -> None:
    """Draw heads whose width grows with the root of their weight, until they touch."""
    pitch = (_RIGHT - _LEFT) / _NUM_PLANTS
    radius = max(2.0, min(share, 1.2) ** 0.5 * pitch / 2)
    for number in range(_NUM_PLANTS):
        x = _LEFT + (number + 0.5) * pitch
        pen.rectangle([x - 7, _FLOOR - 16, x + 7, _FLOOR - 7], fill=_SOIL)
        pen.ellipse([x - radius, _FLOOR - 16 - 1.3 * radius, x + radius, _FLOOR - 14], fill=_LEAF)


def _frame(pen: ImageDraw.ImageDraw, vents: float) -> None:
    """Draw walls and roof; the roof's halves lift by as much as the vents are open."""
    middle = (_LEFT + _RIGHT) // 2
    pen.line([(_LEFT, _FLOOR), (_LEFT, _EAVES)], fill=_FRAME, width=3)
    pen.line([(_RIGHT, _FLOOR), (_RIGHT, _EAVES)], fill=_FRAME, width=3)
    lift = 40 * vents
    pen.line([(_LEFT, _EAVES), (middle, _RIDGE - lift)], fill=_FRAME, width=3)
    pen.line([(_RIGHT, _EAVES), (middle, _RIDGE - lift)], fill=_FRAME, width=3)


def _words(pen: ImageDraw.ImageDraw, moment: Moment, controls: tuple[float, ...]) -> None:
    dry_weight, ppm, temperature_c, humidity = moment.inside
    radiation, _, outside_c, outside_humidity = moment.outside
    supply, vents, heating = controls
    lines = (
        f"inside   {temperature_c:.1f} C   {humidity:.0f} %",
        f"CO2      {ppm:.0f} ppm",
        f"crop     {dry_weight:.0f} g m-2",
        "",
        f"outside  {outside_c:.1f} C   {outside_humidity:.0f} %",
        f"sun      {radiation:.0f} W m-2",
        "",
        f"heating  {heating:.0%}",
        f"vents    {vents:.0%}",
        f"CO2      {supply:.0%}",
    )
    font = ImageFont.load_default(12)
    pen.rectangle([_RIGHT + 14, 12, WIDTH - 10, 12 + 17 * len(lines) + 8], fill=(236, 238, 240))
    for row, line in enumerate(lines):
        name, _, value = line.partition(" ")
        pen.text((_RIGHT + 20, 16 + 17 * row), name, fill=_INK, font=font)
        pen.text((_RIGHT + 72, 16 + 17 * row), value.strip(), fill=_INK, font=font)


def _colour(low: NDArray[np.integer], high: NDArray[np.integer], share: float) -> tuple[int, int, int]:
    """Return the colour at a share of the way."""
    red, green, blue = (int(part) for part in low + (high - low) * share)
    return red, green, blue
