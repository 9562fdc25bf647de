"""Which plug comes next, and into which hole: decided from the present state alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.farm.seedlings.gantry import Gantry
from envs.farm.seedlings.script import Beliefs
from envs.farm.seedlings.seedling import PLUG_HALF_M
from envs.farm.seedlings.transplanting_arm import TransplantingArm
from envs.farm.seedlings.trays import LOST, PLANTED, Trays, heading
from envs.robots.task import Array

HELD_M = 0.012
"""How far from the point between closed fingers a plug is that they hold."""


@dataclass(frozen=True)
class Raft:
    """The rafts of N benches, with H holes each, and P plugs that may stand in them."""

    holes: Array
    """Where they are in the raft [H, 2] (m)."""
    places: Array
    """Where they are on the bench [N, H, 2] (m)."""
    turn: Array
    """How far the rafts are turned [N] (rad)."""
    hole_of: NDArray[np.intp]
    """The number of each plug's hole [N, P]; -1: it stands in none."""


def choose_next(trays: Trays, raft: Raft, robot: Gantry | TransplantingArm) -> Beliefs:
    """Return the truth about the plug that comes next, and about its hole.

    Whichever is held comes first, then those in a hole that do not count as planted yet, then the others from the
    raft's side on. Holes are filled from the far side, so that nobody reaches over plants.
    """
    positions, values = trays.positions(), trays.values
    everyone = np.arange(len(positions))
    off = positions + np.array([0.0, 0.0, robot.grasp_m]) - robot.hand[:, None]
    held = (np.linalg.norm(off, axis=2) < HELD_M) & (robot.half_width[:, None] < PLUG_HALF_M + 0.001)
    waits = trays.is_good() & (values[..., LOST] == 0) & (values[..., PLANTED] == 0)
    order = 100.0 * held + 10.0 * (raft.hole_of >= 0) + positions[..., 1] - 0.1 * positions[..., 0]
    plug = np.where(waits, order, -np.inf).argmax(axis=1)

    others = (raft.hole_of >= 0) & (np.arange(trays.num) != plug[:, None])
    benches, plugs = np.nonzero(others)
    taken = np.zeros(raft.places.shape[:2], dtype=bool)
    taken[benches, raft.hole_of[benches, plugs]] = True
    rank = np.where(taken, -np.inf, raft.holes[:, 1] - 0.1 * raft.holes[:, 0])
    own = raft.hole_of[everyone, plug]
    hole = np.where(own >= 0, own, rank.argmax(axis=1))
    turn = robot.turn + _quarter(heading(trays.quaternions()[everyone, plug]) - robot.turn)
    return Beliefs(
        plug=positions[everyone, plug],
        plug_turn=turn,
        hole=raft.places[everyone, hole],
        hole_turn=turn + _quarter(raft.turn - turn),
        waits=waits.any(axis=1),
    )


def _quarter(angle: Array) -> Array:
    """Return angles (rad) without quarter turns: a square plug looks the same then."""
    return (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4
