"""Positions whose exact scores are known, and the files that hold them.

A line is `<moves> <score> <scores>`: the moves that lead there (`-`: none), the exact score from the view of the player
to move, and that of each legal action in their order, separated by commas. `<scores>` may be left out: the game's
solver then fills them in when the file is read. Empty lines and comments (`#`) are skipped, but for the one that names
the game.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlplat.errors import GameError
from rlplat.search.game import Game, State

STAGES = ("early", "middle", "late")
_GAME = "# game:"
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class ScoredPosition:
    """A position, and what each choice in it is worth."""

    state: State
    scores: NDArray[np.int32]
    """Exact score of each legal action from the view of the player to move, int32 `[n]`; more is better."""

    @property
    def score(self) -> int:
        """Of the position: that of its best action."""
        return int(self.scores.max())

    @property
    def stage(self) -> str:
        """Which third of the longest game it lies in: of Connect Four to 14 plies, 15-28, 29-41."""
        third = (3 * self.state.num_moves - 1) // self.state.game.max_length
        return STAGES[min(max(third, 0), 2)]

    def is_hard(self) -> bool:
        """Whether some of the sensible actions keep the result of perfect play and some change it."""
        sensible = set(sensible_actions(self.state))
        results = {
            int(np.sign(score))
            for action, score in zip(self.state.legal_actions().tolist(), self.scores, strict=True)
            if action in sensible
        }
        return len(results) > 1

    def score_of(self, action: int) -> int:
        """Exact score of a legal action."""
        return int(self.scores[self.state.legal_actions().tolist().index(action)])


def sensible_actions(state: State) -> list[int]:
    """What two plies of looking ahead leave: actions that win at once; otherwise those after which the opponent cannot
    win at once; if there are none, all.
    """
    legal = state.position.legal_actions()
    children = [_after(state, action) for action in legal]
    winning = [action for action, child in zip(legal, children, strict=True) if _is_won(child, state.player)]
    safe = [action for action, child in zip(legal, children, strict=True) if not _can_win(child, 1 - state.player)]
    return winning or safe or legal


def write_positions(path: Path, game: Game, positions: Iterable[ScoredPosition]) -> None:
    """Write positions to a file, all or nothing."""
    from rlplat.runs.durable import write_text

    lines = [f"{_GAME} {_described(game)}"]
    for position in positions:
        moves = position.state.moves_text().replace(" ", ",") or "-"
        lines.append(f"{moves} {position.score} {','.join(map(str, position.scores.tolist()))}")
    write_text(path, "\n".join(lines) + "\n")


def own_positions(game: Game) -> list[ScoredPosition]:
    """The positions that come with a game; none where there is no file, or one of other parameters."""
    path = game.definition.positions
    if path is None or f"{_GAME} {_described(game)}" not in _lines(path, game):
        return []
    return read_positions(path, game)


def read_positions(path: Path, game: Game) -> list[ScoredPosition]:
    """Read a file of positions of this game; solves those whose line lacks the scores of the actions.

    Raises GameError, with file and line, for a line that is none, illegal moves, a finished game, and wrong scores.
    """
    positions = []
    for number, line in enumerate(_lines(path, game), 1):
        if line.startswith(_GAME) and (found := line.removeprefix(_GAME).strip()) != _described(game):
            raise GameError(f"{path}, line {number}: these are positions of {found}, not of {_described(game)}")
        if line.strip() and not line.startswith("#"):
            try:
                positions.append(_parse(line, game))
            except GameError as error:
                raise GameError(
                    f"{path}, line {number}: {error}\nmend or remove the line, or make a file with "
                    f"`rlplat positions {game.name} --plies A-B -o FILE`"
                ) from error
    if not positions:
        raise GameError(f"{path}: it holds no positions; a line is '<moves> <score>'")
    return positions


def _lines(path: Path, game: Game) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise GameError(
            f"{path}: no positions can be read: {problem}; "
            f"make some with `rlplat positions {game.name} --plies A-B -o FILE`"
        ) from error


def _parse(line: str, game: Game) -> ScoredPosition:
    fields = line.split()
    if len(fields) not in (2, 3):
        raise GameError(
            f"found {len(fields)} fields; a line is '<moves> <score>', or '<moves> <score> <scores>' with the score of "
            f"each legal action, separated by commas"
        )
    moves = "" if fields[0] == "-" else fields[0]
    state = game.state_from_moves(moves)
    if state.is_terminal:
        raise GameError(f"the game is over after {moves}, so there is no choice to judge")
    score = _whole(fields[1])
    scores = [_whole(text) for text in fields[2].split(",")] if len(fields) == 3 else state.action_scores().tolist()
    num_legal = len(state.legal_actions())
    if len(scores) != num_legal:
        raise GameError(f"{len(scores)} scores of actions for {num_legal} legal actions")
    if max(scores) != score:
        raise GameError(f"the score is given as {score}, but that of the best action is {max(scores)}")
    return ScoredPosition(state, np.array(scores, np.int32))


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise GameError(f"'{text[:40]}' is no score; a score is a whole number of at most 9 digits")
    return int(text)


def _described(game: Game) -> str:
    return " ".join([game.name, *(f"{name}={value:g}" for name, value in game.parameters.items())])


def _after(state: State, action: int) -> State:
    after = state.copy()
    after.position.apply(action)
    return after


def _is_won(state: State, player: int) -> bool:
    returns = state.position.returns
    return returns is not None and returns[player] > 0


def _can_win(state: State, player: int) -> bool:
    """Whether that player, if it is to move, can win at once."""
    if state.player != player:
        return False
    return any(_is_won(_after(state, action), player) for action in state.position.legal_actions())
