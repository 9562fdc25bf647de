"""From a configuration to the objects that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.environments.resolve import Environment, game_of, resolve
from rlplat.interfaces import Agent
from rlplat.search.game import Game


@dataclass(frozen=True)
class Built:
    """A configuration with the objects that it names."""

    config: RunConfig
    env: Environment
    agent: Agent

    @property
    def game(self) -> Game:
        """What is learned. RunError if it is a task."""
        return game_of(self.env)


def build(config: RunConfig, *, trust: Sequence[str] = ()) -> Built:
    """Load the environment and the agent that a configuration names."""
    env = resolve(config.env.id, trust=trust).load(**config.env.parameters)
    return Built(config, env, registry.resolve(config.agent.id, kind="agent", trust=trust)(config, env))
