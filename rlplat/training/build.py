"""From a configuration to the objects that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlplat import registry
from rlplat.config import RunConfig
from rlplat.interfaces import Agent
from rlplat.search.game import Game


@dataclass(frozen=True)
class Built:
    """A configuration with the objects that it names."""

    config: RunConfig
    game: Game
    agent: Agent


def build(config: RunConfig, *, trust: Sequence[str] = ()) -> Built:
    """Load the environment and the agent that a configuration names."""
    game = registry.resolve(config.env.id, kind="game", trust=trust).load(**config.env.parameters)
    return Built(config, game, registry.resolve(config.agent.id, kind="agent", trust=trust)(config, game))
