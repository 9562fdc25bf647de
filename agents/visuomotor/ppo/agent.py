"""PPO (Schulman et al. 2017) for tasks: binds a configuration to an environment and makes the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.visuomotor import task_agent
from agents.visuomotor.ppo.config import PpoConfig
from rlplat.errors import ConfigError
from rlplat.interfaces import Arrays, Metrics

if TYPE_CHECKING:
    from agents.visuomotor.ppo.collector import PpoCollector
    from agents.visuomotor.ppo.learner import PpoLearner
    from agents.visuomotor.ppo.policy import PpoPolicy
    from rlplat.config import RunConfig
    from rlplat.environments.resolve import Environment


class Ppo:
    """Fulfils `rlplat.interfaces.Agent`."""

    Config = PpoConfig
    unit = "steps"

    def __init__(self, config: RunConfig, env: Environment) -> None:
        if not isinstance(config.agent, PpoConfig):
            raise TypeError(f"config.agent is {type(config.agent).__name__}, expected PpoConfig")
        self._run, self._config = config, config.agent
        self._task = task_agent.bind(config, env, num_envs=self._config.num_envs)
        spec = self._task.spec
        sees_numbers = any(not part.is_image for part in spec.group("policy").values()) or spec.group("privileged")
        if self._config.critic_pictures is False and not sees_numbers:
            raise ConfigError(
                f"agent.critic_pictures is false, and {spec.name} shows nothing but pictures; leave it at null"
            )

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> PpoCollector:
        from agents.visuomotor.ppo.collector import PpoCollector

        task_agent.limit_threads(self._run)
        share = len(task_agent.envs_of(self._config.num_envs, index, num_collectors))
        seed = (self._run.seed, index, generation)
        return PpoCollector(self._config, self._task, num_envs=share, seed=seed)

    def make_learner(self, *, inline: bool) -> PpoLearner:
        from agents.visuomotor.ppo.learner import PpoLearner
        from rlplat.devices import choose_device

        placement, training = self._run.placement, self._config.training
        task_agent.limit_learner_threads(self._run)
        largest = len(task_agent.envs_of(self._config.num_envs, 0, placement.resolve_num_actors()))
        return PpoLearner(
            self._config,
            self._task,
            amount=largest * self._config.num_steps,
            total_updates=training.total_updates or self._run.training.max_updates,
            seed=self._run.seed,
            device=choose_device(placement.device),
        )

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> PpoPolicy:
        from agents.visuomotor.ppo.policy import PpoPolicy

        task_agent.limit_threads(self._run)
        return PpoPolicy(self._config, self._task.spec, weights)

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """What is shown of the counters of all collectors that came in during `elapsed_s` seconds."""
        return task_agent.summarise(counters, elapsed_s)

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows: rates per second, and other measures."""
        return task_agent.view(metrics, {"policy entropy": "policy/entropy", "KL": "policy/kl"})

    def remedies(self) -> Mapping[str, str]:
        """Settings that make a stage take less time."""
        return {
            "simulation": "lower agent.num_steps",
            "inference": "raise agent.num_envs, so that more are asked at a time",
            "learn": "lower agent.training.num_epochs",
            "calls": "raise agent.num_steps",
        }

    def metrics_layout(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """TensorBoard's custom layout; docs/watching.md says how to read what comes first."""
        return {
            "first": {
                "return in training: does it learn?": ["rollouts/return"],
                "value: are returns foreseen?": ["value/explained_variance"],
                "KL and clip: are steps too long?": ["policy/kl", "policy/clip_fraction"],
                "gradient norm: is learning stable?": ["optimizer/gradient_norm", "optimizer/skipped_steps"],
                "steps per second: is it as fast as before?": ["speed/steps_per_s"],
            },
            "learning": {
                "losses": ["loss/policy", "loss/value"],
                "policy entropy": ["policy/entropy"],
                "learning rate": ["optimizer/learning_rate"],
            },
            "rollouts": {"length": ["rollouts/length"], "success": ["rollouts/success"]},
        }
