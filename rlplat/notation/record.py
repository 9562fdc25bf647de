"""Recorded games, whatever form they are written in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rlplat.errors import GameError, NotationError

if TYPE_CHECKING:
    from rlplat.search.game import Game, GameType, State

RESULTS = {1.0: "1-0", -1.0: "0-1", 0.0: "1/2-1/2"}
"""Return of the first player, and how PGN and the lines of a run write it."""

# Results between those, which games of one's own may have, are written as numbers.
_LINE = re.compile(rf"(?P<title>[^:]*): (?P<moves>.*) (?P<result>{'|'.join(RESULTS.values())}|-?[01]\.\d{{4}})")


@dataclass(frozen=True)
class GameRecord:
    """A game, and what is said of it."""

    state: State
    """The last position, with the moves that led to it."""
    outcome: float | None
    """Return of the first player, -1 to 1; None: not known. It may differ from the state's: people resign, and count
    stones otherwise. SGF and PGN know wins, draws and losses only, and say nothing of others."""
    players: tuple[str, str] = ("", "")
    """Who moved first, and second."""
    event: str = ""
    date: str = ""
    """As the form writes it: PGN `2026.01.31`, SGF `2026-01-31`."""


class RecordForm(Protocol):
    """A way to write games down: what `GameDefinition.record` holds."""

    @property
    def suffix(self) -> str:
        """Of the files' names: `.sgf`."""
        ...

    def read(
        self, text: str, definition: GameType, parameters: Mapping[str, float], *, source: str
    ) -> list[GameRecord]:
        """Read every game of a text; `parameters` are those that the text does not tell.

        NotationError, with `source`, line and column, where the text is malformed or a move illegal.
        """
        ...

    def write(self, records: Sequence[GameRecord]) -> str: ...


class Cursor:
    """A place in a text that is read from its beginning to its end.

    Args:
        source: where the text comes from, for messages.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.at = 0
        """Characters read."""
        self._source = source

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what the pattern matches here, if it does."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    @property
    def is_at_end(self) -> bool:
        return self.at >= len(self.text)

    def error(self, problem: str, at: int | None = None) -> NotationError:
        """An error at a place, by default here."""
        place = self.at if at is None else at
        line = self.text.count("\n", 0, place) + 1
        column = place - (self.text.rfind("\n", 0, place) + 1) + 1
        return NotationError(f"{self._source}, line {line}, column {column}: {problem}")

    def here(self, at: int | None = None) -> str:
        """What stands at a place, by default here, for messages."""
        place = self.at if at is None else at
        return repr(self.text[place]) if place < len(self.text) else "the end of the text"


def play_written(state: State, action_text: str, cursor: Cursor, at: int, *, written: str | None = None) -> None:
    """Play a move that was read at a place of a text; NotationError if it is not legal."""
    try:
        action = state.parse_action(action_text)
    except GameError as error:
        number = state.num_moves + 1
        why = "the game is over" if state.is_terminal else "it is not legal"
        raise cursor.error(
            f"move {number} is {written or action_text!r}, but {why} after {state.moves_text() or 'no moves'}\n{state}",
            at,
        ) from error
    state.position.apply(action)


def game_line(title: str, state: State, outcome: float) -> str:
    """A game in one line, as runs keep them: what it is, its moves, and the result of the first player."""
    return f"{title}: {state.moves_text()} {RESULTS.get(outcome) or format(outcome, '.4f')}"


def read_game_line(line: str, game: Game, *, source: str) -> GameRecord:
    """Read what `game_line` wrote; its title becomes the event. NotationError if it is none, or not of this game."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise NotationError(f"{source}: {line.strip()[:60]!r} is no game; it must look like 'game 1: d3 c5 1-0'")
    try:
        state = game.state_from_moves(found["moves"])
    except GameError as error:
        raise NotationError(f"{source}: {error}") from error
    outcome = next((value for value, text in RESULTS.items() if text == found["result"]), None)
    return GameRecord(state, float(found["result"]) if outcome is None else outcome, event=found["title"])
