"""Every game as an environment of PettingZoo (its agent-environment cycle, AEC): `pip install 'rlplat[games]'`.

    env = make_env("go", size=9)
    env.reset()
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        env.step(None if terminated else env.action_space(agent).sample(observation["action_mask"]))

Axes: A actions, C planes, H rows, W columns.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from pettingzoo import AECEnv  # type: ignore[import-untyped]
from pettingzoo.utils.wrappers import OrderEnforcingWrapper  # type: ignore[import-untyped]

from rlplat import registry
from rlplat.errors import EnvError
from rlplat.search.game import Game

RenderMode = Literal["ansi", "human"]


def make_env(name: str, *, render_mode: RenderMode | None = None, **parameters: float) -> OrderEnforcingWrapper:
    """Make the environment of a registered game, which says so when it is used out of order.

    Raises RegistryError or GameError: no such game, or parameters that it refuses.
    """
    return OrderEnforcingWrapper(GameEnv(registry.resolve(name, kind="game").load(**parameters), render_mode))


class GameEnv(AECEnv):  # type: ignore[misc]
    """One game after another between `player_0` and `player_1`.

    An observation is a dict of `observation`, float32 `[C, H, W]` in [0, 1], and `action_mask`, int8 `[A]`, ones at the
    legal actions. Planes are from the view of the player to move, the only one that rules know: whoever asks out of
    turn, or after the end, gets those with an empty mask. Rewards are 0 until the game is over, then the return.
    Nothing here is random, so a seed changes nothing.
    """

    def __init__(self, game: Game, render_mode: RenderMode | None = None) -> None:
        self.game = game
        self.metadata = {"name": game.name, "render_modes": ["ansi", "human"], "is_parallelizable": False}
        if render_mode not in (None, "ansi", "human"):
            raise EnvError(f"{game.name}: render_mode is {render_mode!r}; it must be None, ansi or human")
        self.render_mode = render_mode
        self.possible_agents = ["player_0", "player_1"]
        self.agents = list(self.possible_agents)
        self._observation_space = Dict(
            {
                "observation": Box(0.0, 1.0, game.plane_shape, np.float32),
                "action_mask": Box(0, 1, (game.num_actions,), np.int8),
            }
        )
        self._action_spaces = {agent: Discrete(game.num_actions) for agent in self.possible_agents}
        self.position = game.initial_state()

    def observation_space(self, agent: str) -> Dict:
        return self._observation_space

    def action_space(self, agent: str) -> Discrete:
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a new game; there are no options."""
        self.position = self.game.initial_state()
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self._mover()

    def step(self, action: int | None) -> None:
        """Play the action of `agent_selection`; None takes an agent out whose game is over.

        GameError for an illegal action, and the game stays as it is.
        """
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        if action is None:
            raise EnvError(
                f"{self.game.name}: {self.agent_selection} played None; the game is not over, take an action"
            )
        self.position.apply(int(action))
        self._cumulative_rewards[self.agent_selection] = 0.0
        if self.position.is_terminal:
            returns = self.position.returns
            self.rewards = {agent: float(returns[player]) for player, agent in enumerate(self.possible_agents)}
            self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = self._mover()
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def observe(self, agent: str) -> dict[str, np.ndarray[Any, Any]]:
        """What an agent sees; see the class."""
        mask = np.zeros(self.game.num_actions, np.int8)
        if agent == self._mover():
            mask[self.position.legal_actions()] = 1
        return {"observation": self.position.planes(), "action_mask": mask}

    def render(self) -> str | None:
        """The position as text: returned in mode `ansi`, printed in mode `human`."""
        if self.render_mode == "human":
            print(self.position, flush=True)
        return str(self.position) if self.render_mode == "ansi" else None

    def _mover(self) -> str:
        return str(self.possible_agents[self.position.player])

    def __str__(self) -> str:
        return self.game.name
