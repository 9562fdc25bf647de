"""Policies of GreenhouseSpacing that a learner is measured against: nothing, chance, schedules, and a daily rule.

None sees more than the observations but `HoldLeafArea`, which reads every plant's leaf area from the simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from envs.farm.growth.integrator import Array
from envs.farm.spacing.accounts import Season
from envs.farm.spacing.greenhouse_spacing import Actions, GreenhouseSpacingVector
from envs.farm.spacing.observations import Observations
from envs.farm.spacing.respacing import LEAST_M2, MOST_M2
from envs.farm.spacing.schedule import action_for
from envs.farm.spacing.settings import NUM_CLASSES
from rlplat.yaml_files import read_yaml

Kind = Literal["schedule", "weight_schedule", "operations"]

SHIPPED = Path(__file__).parent / "schedules.yaml"


class Policy(Protocol):
    """Chooses actions for the benches of a vector."""

    @property
    def action(self) -> Kind:
        """Which actions it chooses."""
        ...

    @property
    def privileged(self) -> bool:
        """True: it reads the simulator's state."""
        ...

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return actions `[N, ...]`."""
        ...


class Nothing:
    """Leaves the robot idle."""

    action: ClassVar[Kind] = "operations"
    privileged = False

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return operations with nothing to do."""
        num_slots = env.bench.lattice.num_slots
        one = (num_slots + 1, num_slots)
        return np.tile(one, (env.num_envs, env.settings.robot.num_operations, 1)).astype(np.int64)


class RandomOperations:
    """Draws every operation evenly from those that the mask allows."""

    action: ClassVar[Kind] = "operations"
    privileged = False

    def __init__(self, seed: int = 0) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return random operations."""
        num_slots = env.bench.lattice.num_slots
        mask, shape = observations["action_mask"], (env.num_envs, env.settings.robot.num_operations)
        draws = [
            # The largest of even numbers is as likely in one allowed place as in another.
            (self._generator.random((*shape, part.shape[1])) * part[:, None]).argmax(axis=2)
            for part in (mask[:, : num_slots + 2], mask[:, num_slots + 2 :])
        ]
        return np.stack(draws, axis=2)


class RandomSchedule:
    """Draws a schedule for every bench, evenly from the box, every day."""

    action: ClassVar[Kind] = "schedule"
    privileged = False

    def __init__(self, seed: int = 0) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return random schedules."""
        return self._generator.random((env.num_envs, NUM_CLASSES), dtype=np.float32)


@dataclass(frozen=True)
class Densities:
    """Holds a density for each age class, plants m-2: `[6]`, or `[N, 6]` for benches that differ."""

    per_m2: Array

    action: ClassVar[Kind] = "schedule"
    privileged = False

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return the schedule."""
        actions = np.clip(action_for(self.per_m2, env.settings.least_density_per_m2), 0, 1).astype(np.float32)
        return np.broadcast_to(actions, (env.num_envs, NUM_CLASSES)).copy()


class WeightDensities(Densities):
    """Holds a density for each of six weights, plants m-2: `[6]`, or `[N, 6]`; plants may be moved on any day."""

    action: ClassVar[Kind] = "weight_schedule"


class HoldLeafArea:
    """Gives every plant, every day, the floor on which its leaves make the same leaf area index.

    `leaf_area_index` and `num_per_day`, seedlings planted a day while there is room, are numbers or `[N]`.
    """

    action: ClassVar[Kind] = "operations"
    privileged = True

    def __init__(self, leaf_area_index: Array | float, num_per_day: Array | float) -> None:
        self.leaf_area_index, self.num_per_day = leaf_area_index, num_per_day
        self._due: Array = np.empty(0)

    def act(self, env: GreenhouseSpacingVector, observations: Observations) -> Actions:
        """Return the day's operations."""
        bench, settings = env.bench, env.settings
        if env.day == 0 or len(self._due) != env.num_envs:  # asked for the first time, on whatever day
            self._due = np.zeros(env.num_envs)
        index = np.broadcast_to(self.leaf_area_index, (env.num_envs,))[:, None]
        room_m2 = np.where(bench.present, np.clip(bench.leaf_area_m2() / index, LEAST_M2, MOST_M2), 0)
        ready = bench.present & (bench.fresh_weight_g() >= settings.harvest_g)
        free_m2 = bench.lattice.area_m2 - np.where(ready, 0, room_m2).sum(axis=1)
        self._due = np.minimum(self._due, 1) + self.num_per_day
        num_new = np.where(free_m2 >= LEAST_M2, np.minimum(np.floor(self._due), settings.seedlings.num_per_day), 0)
        self._due -= num_new
        return env.schedule.respacing.plan(
            room_m2, ready=ready, movable=bench.present, num_new=num_new.astype(np.intp), new_room_m2=LEAST_M2
        )


def shipped() -> dict[str, Policy]:
    """Return all policies by name, with the numbers that `search` found."""
    found = read_yaml(SHIPPED)
    rule = found["hold_lai"]
    return {
        "nothing": Nothing(),
        "random_operations": RandomOperations(),
        "random_schedule": RandomSchedule(),
        **{name: Densities(np.array(found[name]["per_m2"])) for name in ("fixed", "two_stages", "three_stages")},
        "by_weight": WeightDensities(np.array(found["by_weight"]["per_m2"])),
        "hold_lai": HoldLeafArea(rule["leaf_area_index"], rule["num_per_day"]),
    }


def play(policy: Policy, seeds: Sequence[int], **settings: Any) -> Season:
    """Run a bench for each seed through an episode. Raises ConfigError if the episode has no steady days."""
    env = GreenhouseSpacingVector(len(seeds), action=policy.action, observation="classes", **settings)
    env.settings.check_is_measured(env.name)
    observations, infos = env.reset(seed=list(seeds))
    while env.day < env.settings.num_days:
        observations, _, _, _, infos = env.step(policy.act(env, observations))
    return Season(**infos["measures"])
