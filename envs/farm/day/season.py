"""Runs farms of FarmDay under a policy of their days, whoever transplants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envs.farm.day.accounts import FarmSeason
from envs.farm.day.farm_day import FarmDayVector
from envs.farm.spacing.greenhouse_spacing import Actions
from envs.farm.spacing.observations import Observations
from envs.farm.spacing.policies import shipped
from rlplat.environments.resolve import resolve
from rlplat.environments.spaces import read_observations
from rlplat.environments.task import Task
from rlplat.evaluation.episodes import choose_actions
from rlplat.evaluation.opponents import parse_opponent

ID = "envs.farm:rlplat/FarmDay-v0"


def play(policy: str, seeds: Sequence[int], **settings: Any) -> FarmSeason:
    """Run a farm for each seed through an episode.

    `policy` is a shipped schedule or rule (`spacing.policies`), or another baseline: `checkpoint:RUN@latest`, `random`.
    Raises ConfigError, RegistryError: what cannot be used, an episode without steady days.
    """
    chosen = shipped().get(policy)
    settings = {"action": chosen.action, "observation": "classes"} | settings if chosen else settings
    env = FarmDayVector(len(seeds), **settings)
    env.settings.check_is_measured(env.name)
    act = chosen.act if chosen else _Baseline(policy, settings).act
    observations, infos = env.reset(seed=list(seeds))
    while env.day < env.settings.num_days:
        observations, _, _, _, infos = env.step(act(env, observations))
    return FarmSeason(**infos["measures"])


class _Baseline:
    """A policy of the engine's evaluations, at the days of a vector."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        task = resolve(ID).load(**settings)
        assert isinstance(task, Task)
        self._task, self._policy = task, parse_opponent(name).make_policy(task, 0)

    def act(self, env: FarmDayVector, observations: Observations) -> Actions:
        seen = read_observations(env.single_observation_space, observations)
        return choose_actions(self._task, self._policy, seen)
