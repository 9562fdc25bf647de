"""The environment's own solution of a task, where it has one: `expert` acts with all that the simulator knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.errors import RegistryError
from rlplat.interfaces import Arrays

if TYPE_CHECKING:
    from rlplat.environments.task import Task
    from rlplat.environments.task_vector import TaskVector


class ExpertPolicy:
    """Asks the environment that it acts in."""

    name = "expert"

    def begin(self, vector: TaskVector) -> None:
        """Act in these environments from now on."""
        self._vector = vector

    def act(self, states: Arrays) -> np.ndarray[Any, Any]:
        """What the environments' expert would do: an action each."""
        return self._vector.expert_actions()


class ExpertBaseline:
    """Makes the policy named `expert`."""

    usage = "expert: the environment's own solution of a task"
    kinds = ("task",)

    def __call__(self, argument: str | None, env: Task, seed: int) -> ExpertPolicy:
        """Build the policy; RegistryError if the environment offers none. It takes no argument."""
        if argument is not None:
            raise RegistryError(f"opponent 'expert:{argument}': expert takes no argument; write 'expert'")
        if not env.has_expert:
            raise RegistryError(f"opponent 'expert': {env.name} offers none; name random instead")
        return ExpertPolicy()


BASELINE = ExpertBaseline()
