"""Nim, with rules in Python: whoever takes the last stone wins. Moves name a heap and how many stones to take: "b3".

The same rules in C++ are beside it, in nim.hpp.
"""

import numpy as np

from rlplat.search.python_game import PythonGame

State = tuple[int, tuple[int, ...]]
"""The player to move, and the stones left in each heap."""


class Nim(PythonGame[State]):
    """Some heaps of equally many stones; a move takes any number from one heap."""

    def __init__(self, heaps: int = 3, stones: int = 5) -> None:
        if not 1 <= heaps <= 9 or not 1 <= stones <= 20:
            raise ValueError("heaps must be 1 to 9, stones 1 to 20")
        self.heaps, self.stones = heaps, stones
        self.num_actions = self.max_length = heaps * stones
        self.min_length = heaps
        self.plane_shape = (1, heaps, stones)

    def initial_state(self) -> State:
        return 0, (self.stones,) * self.heaps

    def player(self, state: State) -> int:
        return state[0]

    def legal_actions(self, state: State) -> list[int]:
        return [heap * self.stones + taken for heap, left in enumerate(state[1]) for taken in range(left)]

    def apply(self, state: State, action: int) -> State:
        player, heaps = state
        heap, taken = divmod(action, self.stones)
        return 1 - player, (*heaps[:heap], heaps[heap] - taken - 1, *heaps[heap + 1 :])

    def outcome(self, state: State) -> float | None:
        player, heaps = state
        if any(heaps):
            return None
        return -1.0 if player == 0 else 1.0

    def planes(self, state: State) -> np.ndarray:
        """One plane, a row for each heap: 1 for each stone that is left."""
        return (np.arange(self.stones) < np.array(state[1])[:, None])[None]

    def symmetries(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The first heap may change places with the last one."""
        order = np.arange(self.num_actions).reshape(self.heaps, self.stones)[::-1].ravel()
        return [(order, order)] if self.heaps > 1 else []

    def action_text(self, state: State, action: int) -> str:
        heap, taken = divmod(action, self.stones)
        return f"{chr(ord('a') + heap)}{taken + 1}"

    def text(self, state: State) -> str:
        player, heaps = state
        return f"{' '.join(map(str, heaps))}  player {player}"
