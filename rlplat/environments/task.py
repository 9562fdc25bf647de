"""A Gymnasium environment with its parameters set: for a task what `rlplat.search.game` is for a game."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlplat.errors import EnvError, RlplatError
from rlplat.interfaces import EnvSpec

if TYPE_CHECKING:
    from rlplat.environments.task_vector import TaskVector


FIRST_TRAINING_SEED = 2**30
"""Seeds of episodes in training begin here and end below 2**31; those of evaluations lie below."""


@dataclass(frozen=True)
class TaskDefinition:
    """A registered Gymnasium environment before its parameters are set."""

    name: str
    """As it was asked for, with the module that registers it."""
    gymnasium_id: str

    def load(self, **parameters: Any) -> Task:
        """Make the environment once, for its spaces. Raises EnvError: it refuses the parameters, or fails."""
        return Task(self, parameters)

    def libraries(self) -> list[Path]:
        """Return the compiled libraries that a job must carry: none."""
        return []


class Task:
    """A Gymnasium environment with its parameters set."""

    def __init__(self, definition: TaskDefinition, parameters: Mapping[str, Any]) -> None:
        from rlplat.environments.spaces import spec_of

        self.definition = definition
        self.name = definition.name
        self.parameters = dict(parameters)
        vector = self._make(1)
        self.spec: EnvSpec = spec_of(
            self.name,
            vector.single_observation_space,
            vector.single_action_space,
            int((vector.metadata or {}).get("frame_stack", 1)),
        )
        self.has_expert = hasattr(vector, "expert_actions")
        """Whether the environment knows actions that solve it."""
        vector.close()

    @property
    def short_name(self) -> str:
        """That of its id, without namespace and version: `Reach` of `envs.robots:rlplat/Reach-v0`."""
        return re.sub(r"-v\d+$", "", self.definition.gymnasium_id.rpartition("/")[2])

    def __reduce__(self) -> tuple[Any, ...]:
        return Task, (self.definition, self.parameters)

    def changed(self, changes: Mapping[str, Any]) -> Task:
        """The same environment with some parameters changed; a mapping changes what it names of a mapping.

        Raises EnvError as `TaskDefinition.load` does, and if other things are observed or done then.
        """
        other = Task(self.definition, merged(self.parameters, changes))
        if (other.spec.observations, other.spec.actions) != (self.spec.observations, self.spec.actions):
            raise EnvError(f"{self.name}: {dict(changes)} changes what is observed or done, so no policy fits both")
        return other

    def make_vector(self, num_envs: int, *, draws: bool = False) -> TaskVector:
        """Make environments that step together. With `draws` they can be asked for pictures of themselves."""
        from rlplat.environments.task_vector import TaskVector

        return TaskVector(self, self._make(num_envs, **({"render_mode": "rgb_array"} if draws else {})))

    def _make(self, num_envs: int, **more: Any) -> Any:
        """A `gymnasium.vector.VectorEnv`: the task's own, or single environments in a row.

        Gymnasium's own vectors are passed over: they draw all episodes from one generator, so none can be repeated
        alone, and their physics is not quite that of the single environment. Nor do vectors render for policies.
        """
        import gymnasium as gym

        from rlplat.environments import rendered

        registered = gym.spec(self.definition.gymnasium_id)
        own = registered.vector_entry_point
        is_gymnasiums = str(getattr(own, "__module__", own)).startswith("gymnasium.")
        options: dict[str, Any] = {"vectorization_mode": "vector_entry_point"}
        parameters = self.parameters | more
        pixels, stack = parameters.pop(rendered.PIXELS, None), parameters.pop(rendered.STACK, 1)
        if own is None or is_gymnasiums or pixels is not None:
            options = {
                "vectorization_mode": "sync",
                "vector_kwargs": {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP},
                "disable_env_checker": True,  # it costs as much as a small environment
            }
        try:
            if pixels is not None:
                options["wrappers"] = [rendered.wrapper(str(registered.entry_point), pixels, stack)]
                parameters["render_mode"] = "rgb_array"
            return gym.make_vec(self.definition.gymnasium_id, num_envs, **options, **parameters)
        except RlplatError:
            raise
        except Exception as error:  # the environment's own code runs here and may raise anything
            given = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
            raise EnvError(
                f"{self.name}{f' with {given}' if given else ''} cannot be made: {type(error).__name__}: {error}; see "
                "env.parameters, which are what the environment is made with"
            ) from error


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with changes, mappings within mappings merged likewise."""
    both = {
        name: merged(values[name], change)
        for name, change in changes.items()
        if isinstance(change, Mapping) and isinstance(values.get(name), Mapping)
    }
    return {**values, **changes, **both}
