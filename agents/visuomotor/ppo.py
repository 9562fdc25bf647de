"""PPO (Schulman et al. 2017) for tasks: binds a configuration to an environment and makes the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.visuomotor.ppo_config import PpoConfig
from rlplat.environments.task import Task
from rlplat.errors import ConfigError
from rlplat.interfaces import Arrays, Metrics

if TYPE_CHECKING:
    from agents.visuomotor.ppo_collector import PpoCollector
    from agents.visuomotor.ppo_learner import PpoLearner
    from agents.visuomotor.ppo_policy import PpoPolicy
    from rlplat.config import RunConfig
    from rlplat.environments.resolve import Environment


class Ppo:
    """Fulfils `rlplat.interfaces.Agent`."""

    Config = PpoConfig
    unit = "steps"

    def __init__(self, config: RunConfig, env: Environment) -> None:
        if not isinstance(config.agent, PpoConfig):
            raise TypeError(f"config.agent is {type(config.agent).__name__}, expected PpoConfig")
        if not isinstance(env, Task):
            raise ConfigError(
                f"agent.id is '{config.agent.id}', which learns tasks; env.id is {env.name}, a game: take alphazero"
            )
        self._run, self._config, self._task = config, config.agent, env
        num_actors = config.placement.resolve_num_actors()
        if self._config.num_envs < num_actors:
            raise ConfigError(
                f"agent.num_envs is {self._config.num_envs}, and placement.num_actors {num_actors}: each actor needs "
                "an environment; raise the one or set the other"
            )
        if not env.spec.group("policy"):
            raise ConfigError(
                f"{env.name} shows its policy nothing: its observations are {', '.join(env.spec.observations)}"
            )

    def make_collector(self, index: int, num_collectors: int, *, generation: int = 0) -> PpoCollector:
        from agents.visuomotor.ppo_collector import PpoCollector

        self._limit_threads()
        share = _share(self._config.num_envs, index, num_collectors)
        seed = (self._run.seed, index, generation)
        return PpoCollector(self._config, self._task, num_envs=share, seed=seed)

    def make_learner(self, *, inline: bool) -> PpoLearner:
        import torch

        from agents.visuomotor.ppo_learner import PpoLearner
        from rlplat.devices import choose_device

        placement, training = self._run.placement, self._config.training
        if placement.learner_threads is not None:
            torch.set_num_threads(placement.learner_threads)
        largest = _share(self._config.num_envs, 0, placement.resolve_num_actors())
        return PpoLearner(
            self._config,
            self._task,
            amount=largest * self._config.num_steps,
            total_updates=training.total_updates or self._run.training.max_updates,
            seed=self._run.seed,
            device=choose_device(placement.device),
        )

    def make_policy(self, weights: Arrays, *, num_simulations: int | None, seed: int) -> PpoPolicy:
        from agents.visuomotor.ppo_policy import PpoPolicy

        self._limit_threads()
        return PpoPolicy(self._config, self._task.spec, weights)

    def _limit_threads(self) -> None:
        """Actors of their own keep to their threads; in one process the learner's number holds for all."""
        import torch

        if self._run.placement.mode == "ray":
            torch.set_num_threads(self._run.placement.threads_per_actor)

    def summarise(self, counters: Metrics, elapsed_s: float) -> Metrics:
        """What is shown of the counters of all collectors that came in during `elapsed_s` seconds."""
        found = {"speed/steps_per_s": counters["steps"] / elapsed_s}
        if counters["episodes"]:
            found["rollouts/return"] = counters["return"] / counters["episodes"]
            found["rollouts/length"] = counters["length"] / counters["episodes"]
        if counters["judged"]:
            found["rollouts/success"] = counters["success"] / counters["judged"]
        return found

    def view(self, metrics: Metrics) -> tuple[Metrics, Metrics]:
        """What the console shows: rates per second, and other measures."""
        measures = {
            "return": "rollouts/return",
            "success": "rollouts/success",
            "policy entropy": "policy/entropy",
            "KL": "policy/kl",
        }
        rates = {"steps": "speed/steps_per_s"}

        def known(names: Mapping[str, str]) -> Metrics:
            return {name: metrics[key] for name, key in names.items() if key in metrics}

        return known(rates), known(measures)

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


def _share(num_envs: int, index: int, num_collectors: int) -> int:
    """Environments of collector `index`: as even as can be, the first ones take what is left over."""
    return num_envs // num_collectors + (index < num_envs % num_collectors)


AGENT = Ppo
