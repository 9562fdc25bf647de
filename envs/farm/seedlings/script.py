"""What a script does that knows where plug and hole are: it decides from the present alone, without memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.farm.seedlings.gantry import Gantry
from envs.farm.seedlings.layout import DECK_M
from envs.farm.seedlings.seedling import PLUG_HALF_M
from envs.farm.seedlings.settings import LIFT, REACH
from envs.farm.seedlings.transplanting_arm import TransplantingArm
from envs.farm.seedlings.trays import SEAT_M
from envs.robots.arm.object_task import funnel, towards
from envs.robots.task import Array, Flags

SQUEEZE_N = 4.5
"""Of each finger: pulls a plug from a cell that holds it by up to 10 N, and does not crush it."""
CARRY_M = 0.16
"""Height of the hand above which nothing is in a carried plug's way."""
PULL_M_S = 0.15
"""Speed at which a plug is pulled out of its cell, and let down into its hole."""
MAX_SPEED_M_S, MAX_TURN_RAD_S = 0.4, np.deg2rad(90.0)


@dataclass(frozen=True)
class Beliefs:
    """What the script goes by, in N simulations."""

    plug: Array
    """The middle of the plug that comes next [N, 3] (m)."""
    plug_turn: Array
    """How far it is turned [N] (rad), up to quarter turns."""
    hole: Array
    """The middle of its hole [N, 2] (m)."""
    hole_turn: Array
    """How far that is turned [N] (rad), up to quarter turns."""
    waits: Flags
    """Where there is still a plug to be planted [N]."""


class Script:
    """Moves a robot by what is believed."""

    def __init__(self, robot: Gantry | TransplantingArm) -> None:
        self._robot = robot

    def act(self, beliefs: Beliefs, level: int) -> Array:
        """Return the actions [N, A]."""
        robot, plug = self._robot, beliefs.plug
        hand = robot.hand
        grasp = plug[:, 2] + robot.grasp_m
        aside = np.hypot(hand[:, 0] - plug[:, 0], hand[:, 1] - plug[:, 1])
        around = (aside < 0.006) & (np.abs(hand[:, 2] - grasp) < 0.008)
        held = around & (robot.half_width < PLUG_HALF_M + 0.001)
        off = beliefs.hole - plug[:, :2]
        to_hole = np.hypot(off[:, 0], off[:, 1])
        seated = (to_hole < 0.004) & (plug[:, 2] < SEAT_M + 0.003)

        fetch = towards(hand, plug[:, :2], funnel(aside, grasp, CARRY_M, width=0.003), MAX_SPEED_M_S)
        low = funnel(to_hole, hand[:, 2] + SEAT_M - 0.001 - plug[:, 2], CARRY_M, width=0.003)
        target = np.where(level == LIFT, CARRY_M + 0.02, low)
        goal = hand[:, :2] + (0 if level == LIFT else 1) * off
        carry = towards(hand, goal, target, MAX_SPEED_M_S)
        near_ground = plug[:, 2] < DECK_M + 0.04
        carry[:, 2] = np.where(near_ground, carry[:, 2].clip(-PULL_M_S, PULL_M_S), carry[:, 2])
        velocity = np.where(held[:, None], carry, fetch)
        leave = towards(hand, hand[:, :2], np.full(len(hand), CARRY_M), MAX_SPEED_M_S)
        is_open = robot.half_width > PLUG_HALF_M + 0.004
        done = seated | ~beliefs.waits
        velocity = np.where(done[:, None], np.where(is_open[:, None], leave, 0.0), velocity)

        turn = np.where(held, beliefs.hole_turn - beliefs.plug_turn, beliefs.plug_turn - robot.turn)
        turn_speed = np.where(done, 0.0, (5 * turn).clip(-MAX_TURN_RAD_S, MAX_TURN_RAD_S))
        squeezed = PLUG_HALF_M - SQUEEZE_N / robot.stiffness_n_m
        closes = around & ~done if level > REACH else np.zeros_like(around)
        half_width = np.where(closes, squeezed, robot.opening_m)
        return robot.actions(velocity, turn_speed, half_width)
