"""The one place where the `env.id` of a configuration becomes a game or a Gymnasium environment."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from typing import Any

from rlplat import registry
from rlplat.environments.task import Task, TaskDefinition
from rlplat.errors import RegistryError, RunError
from rlplat.problems import suggestion
from rlplat.search.game import Game, GameType

Environment = Game | Task
"""What is learned."""


def resolve(name: str, *, trust: Sequence[str] = ()) -> GameType | TaskDefinition:
    """Return what an `env.id` names; its `load(**parameters)` makes the `Environment`.

    Raises RegistryError: see `rlplat.registry`; also for an environment that is not registered, or whose code lies in a
    package that is not trusted.
    """
    if registry.env_kind(name) == "game":
        game: GameType = registry.resolve(name, kind="game", trust=trust)
        return game
    module, gymnasium_id = registry.locate(name, kind="task", trust=trust)
    if importlib.util.find_spec("gymnasium") is None:
        raise RegistryError(
            f"{name!r} is a Gymnasium environment, and Gymnasium is not installed: pip install gymnasium"
        )
    from gymnasium.envs.registration import registry as registered

    if module:
        registry.import_module(module, name)
    if gymnasium_id not in registered:
        raise RegistryError(
            f"no Gymnasium environment is named {gymnasium_id!r}{_suggestion(gymnasium_id, registered)}"
        )
    for entry_point in (registered[gymnasium_id].entry_point, registered[gymnasium_id].vector_entry_point):
        if entry_point is not None:
            registry.check_code(_module_of(entry_point), name, trust)
    return TaskDefinition(name, gymnasium_id)


def game_of(env: Environment) -> Game:
    """The environment as a game, for what only games have. Raises RunError for a task."""
    if isinstance(env, Task):
        raise RunError(f"this needs a game; {env.name} is a task, which is judged by its returns: see rlplat evaluate")
    return env


def _module_of(entry_point: Any) -> str:
    return entry_point.partition(":")[0] if isinstance(entry_point, str) else str(entry_point.__module__)


def _suggestion(gymnasium_id: str, registered: Iterable[str]) -> str:
    """Close names only: Gymnasium registers a hundred."""
    meant = suggestion(gymnasium_id, registered)
    if "did you mean" in meant:
        return meant
    return "; one that a module registers is named with it, as in envs.farm:rlplat/LettuceClimate-v0"
