"""Who labels what the student sees: the environment's expert, or the agent of another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from agents.visuomotor.guided_policy.config import TeacherConfig
from rlplat.environments.task import Task
from rlplat.environments.task_vector import TaskVector
from rlplat.errors import ConfigError
from rlplat.evaluation.trained import load_trained
from rlplat.interfaces import Arrays, EnvSpec, Policy


class Teacher(Protocol):
    """Knows what to do in the environments of a vector."""

    def act(self, observations: Arrays) -> NDArray[Any]:
        """Actions of the environment `[N, ...]`, by all observations `[N, ...]`, those that are privileged as well."""
        ...


class Expert:
    """The environment's own, who sees the state of the simulator."""

    def __init__(self, vector: TaskVector) -> None:
        self._vector = vector

    def act(self, observations: Arrays) -> NDArray[Any]:
        return self._vector.expert_actions()


class TrainedTeacher:
    """A policy that learned to act on other parts of the observation.

    Args:
        sources: the part that it is shown as each of those it knows.
    """

    def __init__(self, policy: Policy, sources: dict[str, str]) -> None:
        self._policy, self._sources = policy, sources

    def act(self, observations: Arrays) -> NDArray[Any]:
        return self._policy.act({part: observations[source] for part, source in self._sources.items()})


def make_teacher(config: str | TeacherConfig, task: Task, vector: TaskVector, seed: int) -> Teacher:
    """Make the teacher of the environments of `vector`.

    Raises ConfigError: no expert, or a run of another task or with other observations; RunError, RegistryError,
    CheckpointError: no such run, one of content that is not trusted, or no such checkpoint.
    """
    if not isinstance(config, TeacherConfig):
        return Expert(vector)
    trained = load_trained(Path(config.run), config.checkpoint)
    if trained.env.name != task.name or not isinstance(trained.env, Task):
        raise ConfigError(
            f"agent.teacher.run is {config.run}, which learned {trained.env.name}; it must be {task.name}"
        )
    if trained.env.spec.actions != task.spec.actions:
        raise ConfigError(
            f"agent.teacher.run is {config.run}, whose actions are {trained.env.spec.actions}; here they are "
            f"{task.spec.actions}: set env.parameters alike"
        )
    policy = trained.make_policy(num_simulations=None, seed=seed)
    return TrainedTeacher(policy, _sources(trained.env.spec, task.spec, config.run))


def _sources(known: EnvSpec, offered: EnvSpec, run: str) -> dict[str, str]:
    """For each part that the teacher acts on where it comes from: the same part, or what is privileged here."""
    found = {}
    for part, what in known.observations.items():
        group, _, name = part.partition("/")
        if group == "privileged":
            continue
        candidates = [
            each for each in (part, f"privileged/{name}", "privileged") if offered.observations.get(each) == what
        ]
        if not candidates:
            shown = ", ".join(f"{name} {list(what.shape)}" for name, what in offered.observations.items())
            raise ConfigError(
                f"agent.teacher.run is {run}, which acts on {part} of shape {list(what.shape)}; this environment has "
                f"no such observation, only {shown}: "
                "see env.parameters of both"
            )
        found[part] = candidates[0]
    return found
