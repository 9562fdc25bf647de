"""A trained agent as opponent: `checkpoint:runs/first@best:100` plays the best checkpoint of that run, with 100
simulations a move.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rlplat import registry
from rlplat.environments.task import Task
from rlplat.errors import RegistryError
from rlplat.evaluation.trained import CheckpointName, load_trained
from rlplat.interfaces import Policy

if TYPE_CHECKING:
    from rlplat.environments.resolve import Environment


class CheckpointBaseline:
    """Makes the policies named `checkpoint:RUN@STEP[:N]`: any agent's."""

    usage = (
        "checkpoint:RUN@STEP[:N]: the agent of another run, at latest, best or a step, with N simulations a move; "
        "0: its network alone; without N as in its self-play (checkpoint:runs/first@best:100)"
    )

    kinds = ("game", "task")

    def __call__(self, argument: str | None, env: Environment, seed: int) -> Policy:
        """Build the policy; RegistryError if the run was trained on another game, or a task that looks otherwise."""
        name = CheckpointName.parse(argument or "")
        if name is None or not name.run:
            raise RegistryError(
                f"opponent 'checkpoint{'' if argument is None else f':{argument}'}': checkpoint needs a run and one of "
                "latest, best or a step, as in checkpoint:runs/first@best; a number of simulations a move may follow, "
                "as in checkpoint:runs/first@best:100"
            )
        trained = load_trained(Path(name.run), name.checkpoint)
        if not _fits(trained.env, env):
            raise RegistryError(
                f"opponent 'checkpoint:{argument}': it plays {_described(trained.env)}, this match is of "
                f"{_described(env)}; name a run of the same {registry.env_kind(env.name)} and parameters"
            )
        return trained.make_policy(num_simulations=name.num_simulations, seed=seed)


def _fits(trained: Environment, env: Environment) -> bool:
    """Whether who learned in one environment can act in the other: the same game, or a task that looks alike, whose
    other parameters may differ, as those of splits do.
    """
    if isinstance(env, Task) and isinstance(trained, Task):
        alike = (trained.spec.observations, trained.spec.actions) == (env.spec.observations, env.spec.actions)
        return trained.name == env.name and alike
    return (trained.name, trained.parameters) == (env.name, env.parameters)


def _described(env: Environment) -> str:
    parameters = ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in env.parameters.items()
    )
    return f"{env.name} with {parameters}" if parameters else env.name


BASELINE = CheckpointBaseline()
