"""What all agents for tasks have in common when they bind a configuration to an environment."""

from __future__ import annotations

from collections.abc import Mapping

from rlplat.config import RunConfig
from rlplat.environments.resolve import Environment
from rlplat.environments.task import Task
from rlplat.errors import ConfigError
from rlplat.interfaces import EnvSpec, Metrics


def bind(config: RunConfig, env: Environment, *, num_envs: int) -> Task:
    """The environment as a task that such an agent can learn with so many environments. Raises ConfigError."""
    if not isinstance(env, Task):
        raise ConfigError(
            f"agent.id is '{config.agent.id}', which learns tasks; env.id is {env.name}, a game: take alphazero"
        )
    num_actors = config.placement.resolve_num_actors()
    if num_envs < num_actors:
        raise ConfigError(
            f"agent.num_envs is {num_envs}, and placement.num_actors {num_actors}: each actor needs an environment; "
            "raise the one or set the other"
        )
    if not env.spec.group("policy"):
        raise ConfigError(
            f"{env.name} shows its policy nothing: its observations are {', '.join(env.spec.observations)}"
        )
    return env


def critics_see_pictures(spec: EnvSpec, wanted: bool | None) -> bool:
    """Whether critics see the pictures of the group `policy`: as `wanted`; None: where nothing is privileged."""
    has_pictures = any(part.is_image for part in spec.group("policy").values())
    return has_pictures and (not spec.group("privileged") if wanted is None else wanted)


def envs_of(num_envs: int, index: int, num_collectors: int) -> range:
    """Environments of collector `index`: as even as can be, the first ones take what is left over."""
    each, more = divmod(num_envs, num_collectors)
    first = index * each + min(index, more)
    return range(first, first + each + (index < more))


def limit_threads(config: RunConfig) -> None:
    """Actors of their own keep to their threads; in one process the learner's number holds for all."""
    import torch

    if config.placement.mode == "ray":
        torch.set_num_threads(config.placement.threads_per_actor)


def limit_learner_threads(config: RunConfig) -> None:
    """Give torch the learner's number of threads, if there is one."""
    import torch

    if config.placement.learner_threads is not None:
        torch.set_num_threads(config.placement.learner_threads)


def summarise(counters: Metrics, elapsed_s: float) -> Metrics:
    """What is shown of the counters of all collectors (`EpisodeCounts`) that came in during `elapsed_s` seconds."""
    found = {"speed/steps_per_s": counters["steps"] / elapsed_s}
    if counters["episodes"]:
        found["rollouts/return"] = counters["return"] / counters["episodes"]
        found["rollouts/length"] = counters["length"] / counters["episodes"]
    if counters["judged"]:
        found["rollouts/success"] = counters["success"] / counters["judged"]
    return found


def view(metrics: Metrics, measures: Mapping[str, str]) -> tuple[Metrics, Metrics]:
    """What the console shows: rates per second, and measures by their short names."""

    def known(names: Mapping[str, str]) -> Metrics:
        return {name: metrics[key] for name, key in names.items() if key in metrics}

    return known({"steps": "speed/steps_per_s"}), known(
        {"return": "rollouts/return", "success": "rollouts/success", **measures}
    )
