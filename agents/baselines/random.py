"""The weakest opponent: `random` plays uniformly over the legal actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlplat.errors import RegistryError

if TYPE_CHECKING:
    from rlplat.search.game import Game, State


class RandomPolicy:
    """Each legal action with equal probability."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """Draw one legal action per state: int64 `[B]`."""
        legal = [state.legal_actions() for state in states]
        places = self._rng.integers([len(actions) for actions in legal])
        return np.array([actions[place] for actions, place in zip(legal, places, strict=True)], dtype=np.int64)


class RandomBaseline:
    """Makes the policy named `random`."""

    usage = "random: uniform over the legal actions"

    def __call__(self, argument: str | None, game: Game, seed: int) -> RandomPolicy:
        """Build the policy; it takes no argument."""
        if argument is not None:
            raise RegistryError(f"opponent 'random:{argument}': random takes no argument; write 'random'")
        return RandomPolicy(seed)


BASELINE = RandomBaseline()
