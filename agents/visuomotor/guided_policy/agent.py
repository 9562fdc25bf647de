"""Guided policies: a privileged teacher labels what a student does who sees pictures.

The modern form of Levine, Finn, Darrell, Abbeel, "End-to-end training of deep visuomotor policies", JMLR 17, 2016, by
behaviour cloning and DAgger: Ross, Gordon, Bagnell, "A reduction of imitation learning and structured prediction to
no-regret online learning", AISTATS 2011. Binds a configuration to an environment and makes the parts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.visuomotor import task_agent
from agents.visuomotor.guided_policy.config import GuidedConfig
from rlplat.errors import ConfigError
from rlplat.interfaces import Arrays, Choices, EnvSpec, Metrics

if TYPE_CHECKING:
    from agents.visuomotor.guided_policy.collector import GuidedCollector
    from agents.visuomotor.guided_policy.learner import GuidedLearner
    from agents.visuomotor.guided_policy.policy import StudentPolicy
    from rlplat.config import RunConfig
    from rlplat.environments.resolve import Environment

_log = logging.getLogger(__name__)


class GuidedPolicy:
    """Fulfils `rlplat.interfaces.Agent`."""

    Config = GuidedConfig
    unit = "steps"

    def __init__(self, config: RunConfig, env: Environment) -> None:
        if not isinstance(config.agent, GuidedConfig):
            raise TypeError(f"config.agent is {type(config.agent).__name__}, expected GuidedConfig")
        self._run, self._config = config, config.agent
        self._task = task_agent.bind(config, env, num_envs=self._config.num_envs)
        if self._config.teacher == "expert" and not self._task.has_expert:
            raise ConfigError(
                f"agent.teacher is 'expert', and {env.name} offers none: its vector has no method expert_actions(). "
                "Name a run that learned it: agent.teacher: {run: runs/name}"
            )
        if isinstance(self._task.spec.actions, Choices):
            raise ConfigError(f"agent.id is 'guided_policy', and actions of {env.name} are several choices: take ppo")
        _check_pretraining(self._task.spec, self._config)

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> GuidedCollector:
        from agents.visuomotor.guided_policy.collector import GuidedCollector

        task_agent.limit_threads(self._run)
        share = len(task_agent.envs_of(self._config.num_envs, index, num_collectors))
        seed = (self._run.seed, index, generation)
        return GuidedCollector(self._config, self._task, num_envs=share, seed=seed)

    def make_learner(self, *, inline: bool) -> GuidedLearner:
        from agents.visuomotor.guided_policy.learner import GuidedLearner
        from rlplat.devices import choose_device

        placement = self._run.placement
        task_agent.limit_learner_threads(self._run)
        largest = len(task_agent.envs_of(self._config.num_envs, 0, placement.resolve_num_actors()))
        return GuidedLearner(
            self._config,
            self._task,
            amount=largest * self._config.num_steps,
            total_updates=self._config.training.total_updates or self._run.training.max_updates,
            seed=self._run.seed,
            device=choose_device(placement.device),
        )

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> StudentPolicy:
        from agents.visuomotor.guided_policy.policy import StudentPolicy

        task_agent.limit_threads(self._run)
        return StudentPolicy(self._config, self._task.spec, weights)

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """What is shown of the counters of all collectors that came in during `elapsed_s` seconds."""
        found = task_agent.summarise(counters, elapsed_s)
        found["mixture/teacher_share"] = counters["teacher_steps"] / max(1.0, counters["steps"])
        if counters["student_steps"]:
            found["student/gap"] = (counters["gap"] / counters["student_steps"]) ** 0.5
        if counters["student_judged"]:
            found["student/success"] = counters["student_success"] / counters["student_judged"]
        return found

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows: rates per second, and other measures."""
        measures = {"success of the student": "student/success", "gap": "student/gap", "beta": "mixture/beta"}
        return task_agent.view(metrics, measures)

    def remedies(self) -> Mapping[str, str]:
        """Settings that make a stage take less time."""
        return {
            "simulation": "lower agent.num_steps",
            "inference": "raise agent.num_envs, so that more are asked at a time",
            "teacher": "take the environment's expert as agent.teacher",
            "learn": "lower agent.training.updates_per_round, or raise agent.network.strides",
            "draw": "lower agent.training.batch_size",
            "calls": "raise agent.num_steps",
        }

    def metrics_layout(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """TensorBoard's custom layout; docs/robots.md says how to read what comes first."""
        return {
            "first": {
                "gap: does the student do what the teacher would?": ["student/gap"],
                "success in training: does it suffice?": ["student/success", "rollouts/success"],
                "loss: is there more to learn from these steps?": ["loss/action", "loss/pose"],
                "gradient norm: is learning stable?": ["optimizer/gradient_norm", "optimizer/skipped_steps"],
                "steps per second: is it as fast as before?": ["speed/steps_per_s"],
            },
            "learning": {
                "who acts": ["mixture/beta", "mixture/teacher_share"],
                "steps to learn from": ["dataset/steps"],
                "learning rate": ["optimizer/learning_rate"],
            },
            "rollouts": {"return": ["rollouts/return"], "length": ["rollouts/length"]},
        }


def _check_pretraining(spec: EnvSpec, config: GuidedConfig) -> None:
    if config.pretraining is None:
        return
    if "privileged" not in spec.observations:
        raise ConfigError(
            f"agent.pretraining is set, and {spec.name} has no observation privileged to be regressed; of robot tasks "
            "set env.parameters.privileged to true, or agent.pretraining to null"
        )
    if not any(part.is_image for part in spec.group("policy").values()):
        raise ConfigError(f"agent.pretraining is set, and {spec.name} shows no picture; set agent.pretraining to null")
    size = spec.observations["privileged"].shape[0]
    wrong = [entry for entry in config.pretraining.entries or () if entry >= size]
    if wrong:
        raise ConfigError(f"agent.pretraining.entries has {wrong[0]}; privileged has {size} numbers, 0 to {size - 1}")
