"""A bench with a nursery tray and a raft, as MJCF of boxes, and where their cells and holes are.

Tray and raft are boxes with walls on top: plugs stand in shallow cells, as when pins have pushed them up, and look out
of them by half. A hole of the raft narrows downwards and so leads a plug that comes a little off to its middle. Heights
are metres above the bench.
"""

from __future__ import annotations

import numpy as np

from envs.robots.arm.positions import Positions, is_new
from envs.robots.task import Array

ROWS, COLUMNS = 6, 8
"""Cells of the tray, along y and x."""
PITCH_M = 0.04
"""Between cells."""
HOLE_PITCH_M = 0.15
FLOOR_M, DECK_M = 0.02, 0.038
"""Of cells and holes; the top of tray and raft."""
TRAY_CENTRE_M = np.array([0.48, -0.16])
RAFT_CENTRE_M = np.array([0.48, 0.17])
CELL_HALF_M = 0.0145
"""Of a cell's width."""
MOUTH_HALF_M, HOLE_HALF_M = 0.024, 0.0135
"""Of a hole's width, above and below."""

# What collides, in bits: 1 bench and raft with plugs and fingers, 2 plugs with one another and fingers, 4 foliage with
# fingers, 8 the tray's deck with fingers, 16 the tray's cells with plugs.
GROUND_COLLIDES = 'contype="1" conaffinity="0"'
PLUG_COLLIDES = 'contype="2" conaffinity="19"'
FOLIAGE_COLLIDES = 'contype="4" conaffinity="0" priority="1" friction=".3 .005 .0001"'
FINGERS_COLLIDE = 'contype="0" conaffinity="15"'
NEVER_COLLIDES = 'contype="0" conaffinity="0"'
_DECK_COLLIDES = 'contype="8" conaffinity="0"'
_CELL_COLLIDES = 'contype="16" conaffinity="0"'

_TRAY = 'rgba=".23 .25 .29 1"'
_CELL = 'rgba=".08 .085 .1 1"'
_RAFT = 'rgba=".86 .88 .90 1"'
_HOLE = 'rgba=".16 .30 .42 1"'
_FUNNEL = 'rgba=".52 .62 .72 1"'


def cell_offset(row: Array | int, column: Array | int) -> Array:
    """Return where the middles of cells [...] are in the tray [2, ...] (m)."""
    return PITCH_M * np.array([column - (COLUMNS - 1) / 2, row - (ROWS - 1) / 2])


def cells(positions: Positions) -> list[tuple[int, int]]:
    """Return rows and columns of the cells that hold seedlings."""
    every = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    if positions == "all":
        return every
    is_left_out = is_new(TRAY_CENTRE_M + np.array([cell_offset(*cell) for cell in every]))
    return [cell for cell, new in zip(every, is_left_out, strict=True) if new == (positions == "new")]


def holes(num_plugs: int) -> Array:
    """Return where the middles of the raft's holes are in it [H, 2] (m): at least 4, and one for each plug."""
    columns, rows = (2, 2) if num_plugs <= 4 else (3, 2) if num_plugs <= 6 else (4, 3)
    x = HOLE_PITCH_M * (np.arange(columns) - (columns - 1) / 2)
    y = HOLE_PITCH_M * np.arange(rows) - HOLE_PITCH_M / 2  # towards the tray the raft ends where it always does
    return np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)


def bench() -> str:
    """Return the table as MJCF."""
    return (
        f'<geom name="bench" type="box" size=".42 .62 .02" pos="{TRAY_CENTRE_M[0]} .06 -.02" rgba=".62 .64 .62 1" '
        f"{GROUND_COLLIDES}/>"
    )


def tray() -> str:
    """Return the tray as MJCF, a body of mocap. Only its floor carries plugs, and only its deck stops fingers."""
    half_x, half_y = COLUMNS * PITCH_M / 2, ROWS * PITCH_M / 2
    wall, depth = (PITCH_M - 2 * CELL_HALF_M) / 2, (DECK_M - FLOOR_M) / 2
    bars = [
        _box((half_x + wall, wall, depth), (0.0, y, FLOOR_M + depth), _TRAY, NEVER_COLLIDES)
        for y in PITCH_M * np.arange(-ROWS / 2, ROWS / 2 + 1)
    ] + [
        _box((wall, half_y + wall, depth - 1e-4), (x, 0.0, FLOOR_M + depth), _TRAY, NEVER_COLLIDES)
        for x in PITCH_M * np.arange(-COLUMNS / 2, COLUMNS / 2 + 1)
    ]
    size = (half_x + wall, half_y + wall)
    floor = _box((*size, FLOOR_M / 2), (0, 0, FLOOR_M / 2), _CELL, _CELL_COLLIDES)
    deck = _box((*size, DECK_M / 2 - 1e-3), (0, 0, DECK_M / 2 - 1e-3), 'group="3"', _DECK_COLLIDES)
    return (
        f'<body name="tray" mocap="true" pos="{TRAY_CENTRE_M[0]} {TRAY_CENTRE_M[1]} 0">'
        f"{floor}{''.join(bars)}{deck}</body>"
    )


def raft(num_plugs: int) -> str:
    """Return the raft with its holes as MJCF, a body of mocap."""
    middles = holes(num_plugs)
    low, high = middles.min(axis=0) - HOLE_PITCH_M / 2 + 0.01, middles.max(axis=0) + HOLE_PITCH_M / 2 - 0.01
    centre, half = (low + high) / 2, (high - low) / 2
    depth = (DECK_M - FLOOR_M) / 2
    parts = [_box((*half, FLOOR_M / 2), (*centre, FLOOR_M / 2), _HOLE, GROUND_COLLIDES)]
    rows = np.unique(middles[:, 1])
    columns = np.unique(middles[:, 0])
    for y0, y1 in _between(rows, low[1], high[1]):
        parts.append(_deck((low[0], y0), (high[0], y1)))
    for y in rows:
        for x0, x1 in _between(columns, low[0], high[0]):
            parts.append(_deck((x0, y - MOUTH_HALF_M), (x1, y + MOUTH_HALF_M)))
    lean = np.degrees(np.arctan2(MOUTH_HALF_M - HOLE_HALF_M, 2 * depth))
    for x, y in middles:
        for turn in range(4):
            parts.append(
                f'<body pos="{x} {y} {FLOOR_M + depth}" euler="0 0 {90 * turn}"><geom type="box" '
                f'size=".003 {MOUTH_HALF_M} {1.12 * depth / np.cos(np.radians(lean)):.5f}" '
                f'pos="{(MOUTH_HALF_M + HOLE_HALF_M) / 2 + 0.0035} 0 0" euler="0 {lean:.3f} 0" '
                f'friction=".3 .005 .0001" priority="1" {_FUNNEL} {GROUND_COLLIDES}/></body>'
            )
    return f'<body name="raft" mocap="true" pos="{RAFT_CENTRE_M[0]} {RAFT_CENTRE_M[1]} 0">{"".join(parts)}</body>'


def _between(middles: Array, low: float, high: float) -> list[tuple[float, float]]:
    """Return what of [low, high] lies beside the holes."""
    ends = [low, *(edge for middle in middles for edge in (middle - MOUTH_HALF_M, middle + MOUTH_HALF_M)), high]
    return list(zip(ends[::2], ends[1::2], strict=True))


def _deck(low: tuple[float, float], high: tuple[float, float]) -> str:
    half = (np.array(high) - low) / 2
    height = (DECK_M - FLOOR_M) / 2
    return _box((*half, height), (*(half + low), FLOOR_M + height), _RAFT, GROUND_COLLIDES)


def _box(size: tuple[float, ...], position: tuple[float, ...], look: str, collides: str) -> str:
    numbers = (" ".join(f"{number:.5g}" for number in each) for each in (size, position))
    return '<geom type="box" size="{}" pos="{}" {} {}/>'.format(*numbers, look, collides)
