"""Finds seedlings and holes in pictures by their colours, as machines do that are not taught."""

from __future__ import annotations

import numpy as np

from envs.farm.seedlings.cameras import FRONT, WRIST
from envs.farm.seedlings.layout import DECK_M, RAFT_CENTRE_M, TRAY_CENTRE_M, holes
from envs.farm.seedlings.machine import Observations
from envs.robots.task import Array, Flags

LEAF_HEIGHT_M = 0.09
"""Of leaves above the bench: what seen green is taken to lie at."""
HOLE_HEIGHT_M = DECK_M
ROSETTE_M = 0.028
"""Radius of a seedling's leaves."""
APART_M = 0.036
"""Seedlings are at least so far from one another."""
LEAST_PIXELS = 4
"""Green ones that make a seedling in the picture from the front at 64 pixels."""
FRONT_OFF_M, WRIST_OFF_M, HOLES_OFF_M = np.array([[-4.9, -2.2], [2.1, 0.2], [10.2, -0.1]]) * 1e-3
"""How far from the truth seedlings and holes are found on average, in 100 trays of training; taken off."""


class VisionFinder:
    """Looks at `policy/front` once, for seedlings and raft, and at `policy/wrist` for the one below the hand."""

    def __init__(self, num_holes: int) -> None:
        places = holes(num_holes)
        # Far ones first, so that nobody reaches over plants.
        self._holes = places[np.lexsort((places[:, 0], -places[:, 1]))]

    def begin(self, observations: Observations) -> None:
        """Find all seedlings, and the raft."""
        pictures = observations["policy/front"][..., -3:]
        self._seedlings = [seedlings_in_front(picture) for picture in pictures]
        self._rafts = [raft_in_front(picture) for picture in pictures]

    def look(self, observations: Observations, bench: int, at: Array) -> Array:
        """Return where the seedling about `at` [2] (m) is, by the picture of the hand; `at` if none is seen."""
        picture = observations["policy/wrist"][bench, ..., -3:]
        readings = observations["policy/proprioception"][bench].astype(np.float64)
        rows, columns = np.nonzero(is_green(picture))
        if not len(rows):
            return at
        points = WRIST.ground(rows, columns, len(picture), LEAF_HEIGHT_M, readings[:3], float(readings[3]))
        return _middle(points - WRIST_OFF_M, at)

    def seedling(self, bench: int, number: int) -> Array | None:
        """Return where the `number`-th good seedling is [2] (m); None: there are not so many."""
        found = self._seedlings[bench]
        return found[number] if number < len(found) else None

    def hole(self, bench: int, number: int) -> Array:
        """Return where the `number`-th hole is [2] (m)."""
        place: Array = self._rafts[bench] + self._holes[number % len(self._holes)]
        return place


def is_green(picture: Array) -> Flags:
    """Return which pixels [H, W] show a good seedling's leaves: neither yellow nor anything else."""
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    flags: Flags = (green > 50) & (red < 0.62 * green) & (blue < 0.62 * green)
    return flags


def is_hole(picture: Array) -> Flags:
    """Return which pixels [H, W] are bluish, as holes are."""
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    flags: Flags = (blue > 1.2 * red) & (green < 2.5 * red) & (blue > 40)
    return flags


def seedlings_in_front(picture: Array) -> list[Array]:
    """Return where good seedlings are in the tray [2] (m), the one nearest to the raft first."""
    rows, columns = np.nonzero(is_green(picture))
    points = FRONT.ground(rows, columns, len(picture), LEAF_HEIGHT_M) - FRONT_OFF_M
    points = points[np.abs(points - TRAY_CENTRE_M).max(axis=1) < 0.2]
    least = LEAST_PIXELS * (len(picture) / 64) ** 2
    found: list[Array] = []
    while len(points):
        near = np.linalg.norm(points[:, None] - points, axis=2) < ROSETTE_M
        if near.sum(axis=1).max() < least:
            break
        middle = _middle(points, points[near.sum(axis=1).argmax()])
        found.append(middle)
        points = points[np.linalg.norm(points - middle, axis=1) > APART_M]
    return sorted(found, key=lambda place: -place[1])


def raft_in_front(picture: Array) -> Array:
    """Return where the raft's middle is [2] (m), by the mean of its holes' pixels."""
    rows, columns = np.nonzero(is_hole(picture))
    points = FRONT.ground(rows, columns, len(picture), HOLE_HEIGHT_M) - HOLES_OFF_M
    points = points[np.abs(points - RAFT_CENTRE_M).max(axis=1) < 0.13]
    middle: Array = points.mean(axis=0) if len(points) else RAFT_CENTRE_M
    return middle


def _middle(points: Array, start: Array) -> Array:
    """Return the mean of the points [K, 2] about `start`, moved there until it stays (mean shift)."""
    middle = start
    for _ in range(5):
        near = np.linalg.norm(points - middle, axis=1) < ROSETTE_M
        if not near.any():
            return middle
        middle = points[near].mean(axis=0)
    return middle
