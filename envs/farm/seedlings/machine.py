"""A machine that transplants step by step from where it takes seedlings and holes to be: it remembers what it has done.

It sees no state: where things are it is told by a `Finder`, and whether it holds a plug it feels with its fingers.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from envs.farm.seedlings import gantry
from envs.farm.seedlings.gantry import GRASP_M
from envs.farm.seedlings.script import CARRY_M, MAX_SPEED_M_S, PULL_M_S, SQUEEZE_N
from envs.farm.seedlings.seedling import PLUG_HALF_M
from envs.farm.seedlings.trays import SEAT_M
from envs.robots.arm.object_task import towards
from envs.robots.task import Array, Flags

HOVER, DESCEND, GRIP, PULL, CARRY, LOWER, RELEASE, RISE, REST = range(9)
"""What the machine is at."""
HOVER_M = 0.17
"""Height of the hand from which it looks down on a seedling."""
NEAR_M = 0.002
GRIP_STEPS = 5
"""Control steps in which fingers close or open."""
MAX_TRIES = 3
"""So often it goes for a seedling before it leaves it."""

Observations = dict[str, Any]


class Finder(Protocol):
    """Says where things are, from what is observed: arrays by part, such as `policy/wrist`."""

    def begin(self, observations: Observations) -> None:
        """Take in the benches at the start of their episodes."""

    def look(self, observations: Observations, bench: int, at: Array) -> Array:
        """Return where the seedling below the hand is [2] (m), which is about `at`."""

    def seedling(self, bench: int, number: int) -> Array | None:
        """Return where the next seedling is that should be planted [2] (m), the `number`-th so far; None: no more."""

    def hole(self, bench: int, number: int) -> Array:
        """Return where the `number`-th hole is [2] (m)."""


class Machine:
    """Acts in benches with gantries."""

    def __init__(self, finder: Finder, step_s: float) -> None:
        self._finder, self._step_s = finder, step_s

    def begin(self, observations: Observations) -> None:
        """Start episodes in all benches."""
        num = len(observations["policy/proprioception"])
        self._phase = np.full(num, REST)
        self._waited, self._tries, self._number, self._planted, self._looks = np.zeros((5, num), dtype=int)
        self._at, self._hole = np.zeros((2, num, 2))
        self._finder.begin(observations)
        for bench in range(num):
            self._next(bench)

    def act(self, observations: Observations) -> Array:
        """Return the actions [N, 5]."""
        readings = observations["policy/proprioception"].astype(np.float64)
        hand, turn, half_width = readings[:, :3], readings[:, 3], readings[:, 8:10].mean(axis=1)
        self._advance(observations, hand, half_width)
        phase = self._phase
        over_hole = np.isin(phase, (CARRY, LOWER, RELEASE, RISE))
        point = np.where(over_hole[:, None], self._hole, self._at)
        point = np.where(np.isin(phase, (GRIP, PULL, RELEASE, RISE, REST))[:, None], hand[:, :2], point)
        low = np.isin(phase, (DESCEND, GRIP, LOWER, RELEASE))
        height = np.where(low, SEAT_M + GRASP_M, np.where(phase == HOVER, HOVER_M, CARRY_M))
        velocity = towards(hand, point, height, MAX_SPEED_M_S)
        gently = np.isin(phase, (PULL, LOWER)) & (hand[:, 2] < SEAT_M + GRASP_M + 0.04)
        velocity[:, 2] = np.where(gently, velocity[:, 2].clip(-PULL_M_S, PULL_M_S), velocity[:, 2])
        velocity[np.isin(phase, (GRIP, RELEASE, REST))] = 0.0
        holds = np.isin(phase, (GRIP, PULL, CARRY, LOWER))
        squeezed = PLUG_HALF_M - SQUEEZE_N / gantry.FINGER_NM
        width = np.where(holds, squeezed, gantry.OPENING_M)
        return gantry.as_actions(velocity, -2.0 * turn, width, self._step_s)

    def _advance(self, observations: Observations, hand: Array, half_width: Array) -> None:
        """Go on to the next phase where the present one is done."""
        phase = self._phase.copy()
        aside = np.hypot(*(self._at - hand[:, :2]).T)
        self._waited += 1
        there = (phase == HOVER) & (aside < NEAR_M) & (np.abs(hand[:, 2] - HOVER_M) < 0.005)
        looks = there & (self._looks < 2)
        if looks.any():
            for bench in np.flatnonzero(looks).tolist():
                self._at[bench] = self._finder.look(observations, bench, self._at[bench])
            self._looks += looks
        self._go(there & ~looks, DESCEND)
        self._go((phase == DESCEND) & (hand[:, 2] < SEAT_M + GRASP_M + NEAR_M), GRIP)
        closed = (phase == GRIP) & (self._waited > GRIP_STEPS)
        holds = np.abs(half_width - PLUG_HALF_M) < 0.002
        self._go(closed & holds, PULL)
        for bench in np.flatnonzero(closed & ~holds).tolist():
            self._again(bench)
        self._go((phase == PULL) & (hand[:, 2] > CARRY_M - 0.01), CARRY)
        at_hole = np.hypot(*(self._hole - hand[:, :2]).T) < NEAR_M
        self._go((phase == CARRY) & at_hole, LOWER)
        self._go((phase == LOWER) & (hand[:, 2] < SEAT_M + GRASP_M + NEAR_M), RELEASE)
        self._go((phase == RELEASE) & (self._waited > GRIP_STEPS), RISE)
        for bench in np.flatnonzero((phase == RISE) & (hand[:, 2] > CARRY_M - 0.01)).tolist():
            self._planted[bench] += 1
            self._number[bench] += 1
            self._tries[bench] = 0
            self._next(bench)

    def _go(self, where: Flags, phase: int) -> None:
        self._phase[where], self._waited[where] = phase, 0

    def _again(self, bench: int) -> None:
        """Try the same seedling once more, or leave it."""
        self._tries[bench] += 1
        if self._tries[bench] >= MAX_TRIES:
            self._number[bench] += 1
            self._tries[bench] = 0
        self._next(bench)

    def _next(self, bench: int) -> None:
        """Turn to the next seedling, or rest."""
        found = self._finder.seedling(bench, self._number[bench])
        self._phase[bench], self._waited[bench], self._looks[bench] = (REST if found is None else HOVER), 0, 0
        if found is not None:
            self._at[bench], self._hole[bench] = found, self._finder.hole(bench, self._planted[bench])
