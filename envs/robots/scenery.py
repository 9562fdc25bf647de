"""What the scenes of all tasks share, as MJCF."""

from __future__ import annotations

import numpy as np

from envs.robots.settings import RobotSettings

FLOOR = "floor"
"""Name of the geom whose material is chosen, and beginning of the names of the materials that it may have."""
DISTRACTOR = "distractor"
PALETTE = np.array(
    [(0.85, 0.2, 0.15), (0.2, 0.35, 0.85), (0.9, 0.75, 0.15), (0.6, 0.25, 0.7), (0.9, 0.5, 0.15), (0.3, 0.3, 0.33)]
)
"""Colours of distractors."""

_FLOORS = (
    ((0.32, 0.36, 0.42), (0.22, 0.25, 0.30)),
    ((0.55, 0.42, 0.30), (0.48, 0.36, 0.25)),
    ((0.70, 0.70, 0.68), (0.58, 0.58, 0.57)),
    ((0.25, 0.30, 0.38), (0.35, 0.28, 0.30)),
)
_SHAPES = ('type="box" size=".03 .03 .03"', 'type="cylinder" size=".03 .04"', 'type="ellipsoid" size=".045 .03 .03"')


def assets(cells_per_m: float = 5.0) -> str:
    """Return the materials of floors: chess boards of different colours."""
    parts = []
    for number, (even, odd) in enumerate(_FLOORS):
        parts.append(
            f'<texture name="{FLOOR}{number}" type="2d" builtin="checker" rgb1="{_text(even)}" rgb2="{_text(odd)}" '
            f'width="64" height="64"/><material name="{FLOOR}{number}" texture="{FLOOR}{number}" '
            f'texrepeat="{cells_per_m} {cells_per_m}" texuniform="true" specular="0.1"/>'
        )
    return f"<asset>{''.join(parts)}</asset>"


def distractors(settings: RobotSettings) -> str:
    """Return as many bodies as may stand about, out of sight; nothing collides with them."""
    return "".join(
        f'<body name="{DISTRACTOR}{number}" mocap="true" pos="0 0 -10">'
        f'<geom {_SHAPES[number % len(_SHAPES)]} contype="0" conaffinity="0"/></body>'
        for number in range(settings.randomisation.num_distractors)
    )


def _text(numbers: tuple[float, ...]) -> str:
    return " ".join(map(str, numbers))
