"""SeedlingTransplant: move seedlings from a nursery tray to a raft, by sight.

A seedling is planted when its plug stands upright and still in a hole, let go. See `settings` for the levels
and `damage` for what harms plants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

from envs.farm.day.growth_reward import GrowthReward
from envs.farm.seedlings import gantry, layout, seedling, transplanting_arm
from envs.farm.seedlings.cameras import FRONT
from envs.farm.seedlings.damage import Damage
from envs.farm.seedlings.draws import draw_seedlings
from envs.farm.seedlings.gantry import Gantry
from envs.farm.seedlings.layout import DECK_M, RAFT_CENTRE_M, TRAY_CENTRE_M, holes
from envs.farm.seedlings.order import Raft, choose_next
from envs.farm.seedlings.script import Beliefs, Script
from envs.farm.seedlings.seedling import PLUG_HALF_HEIGHT_M, PLUG_HALF_M, Seedling
from envs.farm.seedlings.settings import LIFT, PLANT, REACH, SeedlingSettings
from envs.farm.seedlings.transplanting_arm import TransplantingArm
from envs.farm.seedlings.trays import (
    ADHESION,
    LIFTED,
    LOST,
    NUM_VALUES,
    PLANTED,
    PRESENT,
    QUALITY,
    SEAT_M,
    SIZE,
    STILL,
    STRAIN,
    Trays,
    heading,
    on_board,
    tilt,
    turned,
)
from envs.robots import scenery
from envs.robots.settings import RobotSettings
from envs.robots.task import Array, Flags, Ids, Task, Terms

TIMESTEP_S = 0.002
CLEAR_M = DECK_M + PLUG_HALF_HEIGHT_M + 0.01
"""Height of a plug's middle above which it is clear of the tray."""
LIFTED_M = CLEAR_M + 0.04
"""The same where level 1 is done."""
NEAR_M, MAX_TILT_RAD, STILL_M_S, STILL_S = 0.005, np.deg2rad(15.0), 0.02, 0.5
"""A plug is planted that is so near a hole's middle, so upright, and has so slowly moved for so long."""
SHIFT_M, TURN_RAD = 0.012, np.deg2rad(2.0)
"""How far tray and raft may lie from where they should, along each axis and turned."""
NUM_STEPS = (60, 80, 160)
"""Control steps of an episode by level; above, 140 for each plug and 20."""
REACHED_M = 0.006


class SeedlingTransplant(Task):
    """A control step lasts 50 ms. Actions and proprioception are those of the robot, see `gantry`.

    privileged  [N, 9 + 9 P + R]  of the plug that comes next: from the hand to where it is to be held (3, m), from it
                                  to its hole (2, m), the hole (2, m), how far it is turned from the hand and the hole
                                  from it (2, rad); of each seedling: plug (3, m), tilt (rad), quality, size, adhesion
                                  (N), strain, number of its hole or 0; proprioception (R)
    """

    Settings = SeedlingSettings
    settings: SeedlingSettings
    substeps = 25
    distractor_areas = (((0.10, -0.48, 0.03), (0.18, 0.45, 0.03)), ((0.76, -0.48, 0.03), (0.82, 0.45, 0.03)))

    def __init__(self, batch: Batch, settings: SeedlingSettings) -> None:
        super().__init__(batch, settings)
        self.step_s = self.substeps * batch.model.opt.timestep
        self.num_steps = num_steps(settings)  # type: ignore[misc]  # of this level
        robot = TransplantingArm if settings.robot == "arm" else Gantry
        self.robot = robot(batch, self.step_s)
        self.num_actions = self.robot.num_actions
        self.num_plugs = settings.num_good + settings.num_bad
        self.trays = Trays(batch, self.num_plugs, colours_are_drawn=settings.randomisation.colour > 0)
        self.damage = Damage(batch, self.trays, self.step_s)
        self._mocap, self._turned = batch.bind("mocap_pos"), batch.bind("mocap_quat")
        self._holes = holes(settings.num_good)
        self._script = Script(self.robot)
        self._before = self.trays.values.copy()
        self._growth = GrowthReward(self.step_s) if settings.reward == "growth" else None
        self._next: list[Sequence[Seedling] | None] = [None] * batch.nsim

    @classmethod
    def scene(cls, settings: RobotSettings) -> str:
        """Return bench, tray, raft, gantry and seedlings; the camera `front` looks on from where a grower stands."""
        assert isinstance(settings, SeedlingSettings)
        numbers = range(settings.num_good + settings.num_bad)
        seedlings = "".join(
            seedling.seedling(number, layout.PLUG_COLLIDES, layout.FOLIAGE_COLLIDES) for number in numbers
        )
        if settings.robot == "arm":
            robot, actuators = transplanting_arm.body(layout.FINGERS_COLLIDE), transplanting_arm.actuators()
        else:
            robot = gantry.body(layout.NEVER_COLLIDES, layout.FINGERS_COLLIDE)
            actuators = gantry.actuators()
        return f"""
        <mujoco model="{cls.__name__}">
          <compiler autolimits="true"/>
          <size memory="{2 + len(numbers)}M" nuserdata="{NUM_VALUES * len(numbers)}"/>
          <option timestep="{TIMESTEP_S}" integrator="discrete" cone="elliptic" impratio="10">
            <flag eulerdamp="disable"/></option>
          <visual><headlight ambient=".28 .28 .28" diffuse=".25 .25 .25" specular="0 0 0"/></visual>
          {scenery.assets(2.5)}
          <worldbody>
            <light type="directional" pos="0 0 3" dir="-.35 .35 -1" diffuse=".55 .55 .55" ambient=".15 .15 .15"
              specular=".1 .1 .1"/>
            {FRONT.mjcf("front")}
            <geom name="{scenery.FLOOR}" type="plane" size="4 4 .1" pos="0 0 -.8" material="{scenery.FLOOR}0"
              {layout.NEVER_COLLIDES}/>
            {robot}
            {layout.bench()}
            {layout.tray()}
            {layout.raft(settings.num_good)}
            {seedlings}
            {scenery.distractors(settings)}
          </worldbody>
          <actuator>{actuators}</actuator>
          <sensor>{"".join(seedling.sensors(number) for number in numbers)}</sensor>
        </mujoco>"""

    def place(self, simulation: int, generator: np.random.Generator) -> None:
        self.robot.place(simulation, generator)
        for board, centre in enumerate((TRAY_CENTRE_M, RAFT_CENTRE_M)):
            self._mocap[simulation, board, :2] = centre + generator.uniform(-SHIFT_M, SHIFT_M, 2)
            self._turned[simulation, board] = turned(generator.uniform(-TURN_RAD, TURN_RAD))
        given, self._next[simulation] = self._next[simulation], None
        seedlings = draw_seedlings(generator, self.settings) if given is None else given
        self.trays.fill(simulation, seedlings, generator.uniform(-np.pi, np.pi, self.num_plugs))

    def set_trays(self, trays: Sequence[Sequence[Seedling] | None]) -> None:
        """Let the next episode of each simulation begin with these seedlings; None: with drawn ones."""
        self._next = list(trays)

    def actuate(self, actions: Array) -> None:
        self.trays.hold()
        self.robot.actuate(actions)

    def note(self, ids: Ids) -> None:
        self._before[:] = self.trays.values
        self.damage.note(ids, CLEAR_M)
        hole = self.hole_of()
        stands = (hole >= 0) & (self.trays.speeds() < STILL_M_S) & ~self.damage.gripped()
        stands &= (self.damage.squeeze() < 1e-9).all(axis=2)
        values = self.trays.values[ids]
        values[..., STILL] = np.where(stands[ids], values[..., STILL] + 1, 0)
        done = (values[..., STILL] * self.step_s >= STILL_S) & (values[..., LOST] == 0)
        values[..., PLANTED] = np.where(done, hole[ids] + 1, 0)
        self.trays.values[ids] = values

    def restored(self) -> None:
        self.trays.restored()

    def hole_places(self) -> Array:
        """Return the middles of the raft's holes [N, H, 2] (m)."""
        return on_board(self._mocap[:, 1], self._turned[:, 1], self._holes[None])

    def off_hole(self) -> Array:
        """Return how far each plug is from the nearest hole's middle, over the bench [N, P] (m)."""
        away: Array = self._away().min(axis=2)
        return away

    def hole_of(self) -> NDArray[np.intp]:
        """Return the number of the hole that each plug stands in [N, P]; -1: in none."""
        position, away = self.trays.positions(), self._away()
        stands = (np.abs(position[..., 2] - SEAT_M) < 0.004) & (tilt(self.trays.quaternions()) < MAX_TILT_RAD)
        nearest = away.argmin(axis=2)
        found: NDArray[np.intp] = np.where(stands & (away.min(axis=2) < NEAR_M), nearest, -1)
        return found

    def _away(self) -> Array:
        """Return how far each plug is from each hole's middle, over the bench [N, P, H] (m)."""
        off = self.hole_places()[:, None] - self.trays.positions()[:, :, None, :2]
        return np.hypot(off[..., 0], off[..., 1])

    def reward_terms(self, actions: Array) -> Terms:
        """Return terms: 1 for the first lift of a good plug, 5 for its planting, -2 for that of a poor seedling.

        -5 for damage that loses a plant, in proportion for less; a little for time and effort. Or those of
        `growth_reward`, where the settings ask for it.
        """
        values, before = self.trays.values, self._before
        if self._growth is not None:
            return self._growth.terms(before, values)
        good, poor = self.trays.is_good(), self.trays.is_poor()
        planted = (values[..., PLANTED] > 0) * 1.0 - (before[..., PLANTED] > 0)
        harm = _harm(values) - _harm(before)
        terms = {
            "time": np.full(len(actions), -0.01),
            "effort": -0.05 * np.einsum("na,na->n", actions, actions) / actions.shape[1],
            "lift": (good * (values[..., LIFTED] - before[..., LIFTED])).sum(axis=1),
            "damage": -5.0 * (values[..., PRESENT] * harm).sum(axis=1),
        }
        if self.settings.level == REACH:
            return terms | {"reach": 1.0 * self.success()}
        return terms | {"plant": 5.0 * (good * planted).sum(axis=1), "poor": -2.0 * (poor * planted).sum(axis=1)}

    def measures(self) -> Terms:
        values, good = self.trays.values, self.trays.is_good()
        return {
            "planted": (good & (values[..., PLANTED] > 0)).sum(axis=1),
            "lost": ((values[..., PRESENT] > 0) & (values[..., LOST] > 0)).sum(axis=1),
            "strain": (values[..., PRESENT] * values[..., STRAIN].clip(0, 1)).max(axis=1),
            "poor_planted": (self.trays.is_poor() & (values[..., PLANTED] > 0)).sum(axis=1),
        }

    def success(self) -> Flags:
        values, good = self.trays.values, self.trays.is_good()
        whole = ~good | (values[..., LOST] == 0)
        if self.settings.level == REACH:
            off = self.trays.positions()[:, 0] + np.array([0.0, 0.0, self.robot.grasp_m]) - self.robot.hand
            there = (np.hypot(off[:, 0], off[:, 1]) < REACHED_M) & (np.abs(off[:, 2]) < 2 * REACHED_M)
            found: Flags = there & (self.robot.half_width > PLUG_HALF_M + 0.003) & whole.all(axis=1)
            return found
        if self.settings.level == LIFT:
            high = self.trays.positions()[..., 2] > LIFTED_M
            return np.asarray((whole & high & self.damage.gripped()).all(axis=1))
        done = ~good | (values[..., PLANTED] > 0)
        poor = self.trays.is_poor() & (values[..., PLANTED] > 0)
        return np.asarray((whole & done).all(axis=1) & ~poor.any(axis=1))

    def terminated(self) -> Flags:
        """Return where every good seedling is planted or lost, or at level 1 lifted."""
        values, good = self.trays.values, self.trays.is_good()
        if self.settings.level == REACH:
            return np.zeros(self.batch.nsim, dtype=bool)
        over = (~good | (values[..., PLANTED] > 0) | (values[..., LOST] > 0)).all(axis=1)
        return np.asarray(over | self.success() if self.settings.level == LIFT else over)

    def privileged(self) -> Array:
        beliefs = self.beliefs()
        grasp = beliefs.plug + np.array([0.0, 0.0, self.robot.grasp_m])
        values = self.trays.values
        each = np.concatenate(
            [
                self.trays.positions(),
                tilt(self.trays.quaternions())[..., None],
                *(values[..., [what]] for what in (QUALITY, SIZE, ADHESION, STRAIN, PLANTED)),
            ],
            axis=2,
        )
        parts = [
            grasp - self.robot.hand,
            beliefs.hole - beliefs.plug[:, :2],
            beliefs.hole,
            np.stack([beliefs.plug_turn - self.robot.turn, beliefs.hole_turn - beliefs.plug_turn], axis=1),
            each.reshape(len(each), -1),
            self.proprioception(),
        ]
        return np.concatenate(parts, axis=1)

    def proprioception(self) -> Array:
        return self.robot.proprioception()

    def expert(self) -> Array:
        """Return what the script does that knows the state; its answer depends on the present state alone."""
        return self._script.act(self.beliefs(), self.settings.level)

    def beliefs(self) -> Beliefs:
        """Return what the script goes by: the truth about the plug that comes next, and about its hole."""
        raft = Raft(self._holes, self.hole_places(), heading(self._turned[:, 1]), self.hole_of())
        return choose_next(self.trays, raft, self.robot)


def num_steps(settings: SeedlingSettings) -> int:
    """Return the control steps of an episode."""
    return NUM_STEPS[settings.level] if settings.level <= PLANT else 20 + 140 * settings.num_good


def _harm(values: Array) -> Array:
    """Return how much of each plant is lost [N, P], 0 to 1."""
    harm: Array = np.where(values[..., LOST] > 0, 1.0, values[..., STRAIN].clip(0, 1))
    return harm
