"""Shipped games as open_spiel has them, to compare with; it need not be installed (pip install open_spiel).

Boards, komi and openings are the same. What differs in random games: those of Go never fill an eye of one's own here,
while open_spiel's players pass and fill their eyes as they please, and a position that comes back ends its games,
where here a move that would bring one back is illegal; chess ends after 512 plies here (next to no random game lasts
so long); Hex is filled to the last cell at once, which cannot change who has won.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rlplat.errors import RlplatError
from rlplat.search.game import Game, State

OurText = Callable[[str, Game], str]
"""The text of a move of open_spiel in our game's notation; moves are found by their texts."""


@dataclass(frozen=True)
class Twin:
    """A game of open_spiel that is one of ours with its default parameters."""

    name: str
    our_text: OurText = lambda text, _: text
    parameters: Mapping[str, Any] | None = None
    """Where its own defaults are others."""

    def load(self) -> Any:
        """Return the `pyspiel.Game`."""
        return importlib.import_module("pyspiel").load_game(self.name, dict(self.parameters or {}))

    def follow(self, state: State) -> Any:
        """Return the `pyspiel.State` after the same moves. RlplatError if a move is none there."""
        theirs, ours = self.load().new_initial_state(), state.start()
        for action in state.actions:
            theirs.apply_action(self._find(theirs, ours, action))
            ours.apply(action)
        return theirs

    def _find(self, theirs: Any, ours: State, action: int) -> int:
        for candidate in theirs.legal_actions():
            text = self.our_text(theirs.action_to_string(candidate), ours.game)
            if ours.parse_action(text) == action:
                return int(candidate)
        raise RlplatError(f"open_spiel's {self.name} has no move {ours.action_text(action)} in\n{ours}")


def _of_breakthrough(text: str, game: Game) -> str:
    """`a7b6*` takes b6; there the first player starts from the top."""
    rows = game.plane_shape[1]
    start, end = (f"{cell[0]}{rows + 1 - int(cell[1])}" for cell in (text[:2], text[2:4]))
    return f"{start}x{end}" if text.endswith("*") else f"{start}{end}"


def _of_connect_four(text: str, _: Game) -> str:
    """`x0` is the first column, which is 1 here."""
    return str(int(text[1:]) + 1)


def _of_go(text: str, _: Game) -> str:
    """`B a1` names the player, too."""
    return text.split()[1]


def _of_gomoku(text: str, game: Game) -> str:
    """`row,column`, both counted from the upper left corner, from 0."""
    row, column = map(int, text.split(","))
    return f"{chr(ord('a') + column)}{game.plane_shape[1] - row}"


def _of_tictactoe(text: str, _: Game) -> str:
    """`x(row,column)` is a cell of 1 to 9."""
    row, column = map(int, text[2:-1].split(","))
    return str(3 * row + column + 1)


TWINS: Mapping[str, Twin] = {
    "breakthrough": Twin("breakthrough", _of_breakthrough),
    "chess": Twin("chess"),
    "connect_four": Twin("connect_four", _of_connect_four),
    "go": Twin("go", _of_go, {"board_size": 9, "komi": 7.5}),
    "gomoku": Twin("gomoku", _of_gomoku, {"size": 9}),
    "hex": Twin("hex", parameters={"board_size": 9}),
    "othello": Twin("othello"),
    "tictactoe": Twin("tic_tac_toe", _of_tictactoe),
}
"""By the names that our games have."""
