"""SAC (Haarnoja et al. 2018) for tasks: binds a configuration to an environment and makes the parts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.visuomotor import task_agent
from agents.visuomotor.sac.config import SacConfig
from rlplat.data.transitions import replay_bytes
from rlplat.errors import ConfigError
from rlplat.hardware import memory_bytes
from rlplat.interfaces import Arrays, Continuous, EnvSpec, Metrics

if TYPE_CHECKING:
    from agents.visuomotor.sac.collector import SacCollector
    from agents.visuomotor.sac.learner import SacLearner
    from agents.visuomotor.sac.policy import SacPolicy
    from rlplat.config import RunConfig
    from rlplat.environments.resolve import Environment

GB = 1e9

_log = logging.getLogger(__name__)


class Sac:
    """Fulfils `rlplat.interfaces.Agent`."""

    Config = SacConfig
    unit = "steps"

    def __init__(self, config: RunConfig, env: Environment) -> None:
        if not isinstance(config.agent, SacConfig):
            raise TypeError(f"config.agent is {type(config.agent).__name__}, expected SacConfig")
        self._run, self._config = config, config.agent
        self._task = task_agent.bind(config, env, num_envs=self._config.num_envs)
        _check_actions(self._task.spec)

    @property
    def replay_bytes(self) -> int:
        """Memory of a full replay."""
        return replay_bytes(
            self._task.spec,
            num_envs=self._config.num_envs,
            capacity=self._config.replay.capacity,
            num_steps=self._config.num_steps,
        )

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> SacCollector:
        from agents.visuomotor.sac.collector import SacCollector

        task_agent.limit_threads(self._run)
        envs = task_agent.envs_of(self._config.num_envs, index, num_collectors)
        return SacCollector(self._config, self._task, envs=envs, seed=(self._run.seed, index, generation))

    def make_learner(self, *, inline: bool) -> SacLearner:
        from agents.visuomotor.sac.learner import SacLearner
        from rlplat.devices import choose_device

        task_agent.limit_learner_threads(self._run)
        self._check_memory()
        largest = len(task_agent.envs_of(self._config.num_envs, 0, self._run.placement.resolve_num_actors()))
        return SacLearner(
            self._config,
            self._task,
            amount=largest * self._config.collect_steps,
            total_updates=self._config.training.total_updates or self._run.training.max_updates,
            seed=self._run.seed,
            device=choose_device(self._run.placement.device),
            synchronous=inline,
        )

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> SacPolicy:
        from agents.visuomotor.sac.policy import SacPolicy

        task_agent.limit_threads(self._run)
        return SacPolicy(self._config, self._task.spec, weights)

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """What is shown of the counters of all collectors that came in during `elapsed_s` seconds."""
        return task_agent.summarise(counters, elapsed_s)

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows: rates per second, and other measures."""
        measures = {"policy entropy": "policy/entropy", "temperature": "policy/temperature", "value": "value/mean"}
        return task_agent.view(metrics, measures)

    def remedies(self) -> Mapping[str, str]:
        """Settings that make a stage take less time."""
        return {
            "simulation": "raise agent.num_envs, so that more are stepped at a time",
            "inference": "raise agent.num_envs, so that more are asked at a time",
            "learn": "lower agent.training.updates_per_step",
            "draw": "lower agent.training.batch_size",
            "calls": "raise agent.collect_steps",
        }

    def metrics_layout(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """TensorBoard's custom layout; docs/watching.md says how to read what comes first."""
        return {
            "first": {
                "return in training: does it learn?": ["rollouts/return"],
                "value: what the critics expect": ["value/mean"],
                "entropy: does it still try?": ["policy/entropy"],
                "temperature: does it settle?": ["policy/temperature"],
                "gradient norms: is learning stable?": [
                    "optimizer/critic_gradient_norm",
                    "optimizer/actor_gradient_norm",
                    "optimizer/skipped_steps",
                ],
                "steps per second: is it as fast as before?": ["speed/steps_per_s"],
            },
            "learning": {
                "losses": ["loss/critic", "loss/policy"],
                "updates per step": ["replay/updates_per_step"],
                "replay": ["replay/rows"],
            },
            "rollouts": {"length": ["rollouts/length"], "success": ["rollouts/success"]},
        }

    def _check_memory(self) -> None:
        """Say what the replay will take, where it will be; ConfigError if there is not so much."""
        there, capacity = memory_bytes(), self._config.replay.capacity
        _log.info("the replay of %s steps takes %.2f GB when it is full", f"{capacity:,}", self.replay_bytes / GB)
        if there is not None and self.replay_bytes > there:
            raise ConfigError(
                f"agent.replay.capacity is {capacity}: so many steps of {self._task.name} take "
                f"{self.replay_bytes / GB:.1f} GB, and this machine has {there / GB:.1f} GB; lower it, or the "
                "number of pixels"
            )


def _check_actions(spec: EnvSpec) -> None:
    if not isinstance(spec.actions, Continuous):
        raise ConfigError(f"agent.id is 'sac', and the actions of {spec.name} are whole numbers: take ppo")
    limits = [*spec.actions.low, *spec.actions.high]
    if not all(abs(limit) < float("inf") for limit in limits):
        raise ConfigError(
            f"agent.id is 'sac', which acts between bounds, and actions of {spec.name} have none: take ppo, or wrap "
            "the environment by gymnasium.wrappers.RescaleAction"
        )
