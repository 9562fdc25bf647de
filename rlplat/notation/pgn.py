"""Games in Portable Game Notation (PGN standard of 1994): the main line, with tags."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlplat.errors import GameError, NotationError
from rlplat.notation.record import RESULTS, Cursor, GameRecord, play_written

if TYPE_CHECKING:
    from rlplat.search.game import Game, GameType, State

LINE_LENGTH = 79
_UNKNOWN = "*"

_TAG = re.compile(r'\[\s*(\w+)\s*"((?:[^"\\\n]|\\.)*)"\s*\]')
# What stands between the words of a game: spaces, comments in braces or to the end of a line, lines that begin with %,
# numbers of moves, and numbers of remarks ($1).
_BETWEEN = re.compile(r"(?:\s+|\{[^}]*\}|;[^\n]*|(?<![^\n])%[^\n]*|\$\d+|\d+\s*\.+|\d+(?=\s|$))*")
_RESULT = re.compile(rf"(?:{'|'.join(RESULTS.values())}|\*)(?=[\s\[{{;)]|$)")
_MOVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#=:/!?-]*")


@dataclass(frozen=True)
class PgnForm:
    """How a game is written in PGN. The first player is White; moves are as the game itself names them."""

    suffix = ".pgn"

    def read(
        self, text: str, definition: GameType, parameters: Mapping[str, float], *, source: str
    ) -> list[GameRecord]:
        """Read the main line of every game; see `RecordForm.read`."""
        game, cursor = definition.load(**parameters), Cursor(text.removeprefix("\ufeff"), source)
        records = []
        while cursor.match(_BETWEEN) and not cursor.is_at_end:
            records.append(_read_game(game, cursor))
        if not records:
            raise cursor.error("there is no game")
        return records

    def write(self, records: Sequence[GameRecord]) -> str:
        """Write games, one after another with an empty line between."""
        return "\n".join(map(_write_game, records))


def _read_game(game: Game, cursor: Cursor) -> GameRecord:
    tags: dict[str, tuple[str, int]] = {}
    while cursor.match(_BETWEEN) and (tag := cursor.match(_TAG)):
        tags[tag[1]] = re.sub(r"\\(.)", r"\1", tag[2]), tag.start()
    if cursor.text.startswith("[", cursor.at):
        raise cursor.error('this tag is malformed; it must look like [Event "A match"]')
    state = _start(game, tags, cursor)
    result = _read_moves(state, cursor)
    if result is None:
        result = tags["Result"][0] if "Result" in tags else _UNKNOWN
    outcome = next((value for value, text in RESULTS.items() if text == result), None)
    if outcome is None and state.is_terminal:
        outcome = float(state.returns[0])

    def text(name: str) -> str:
        return tags[name][0] if name in tags and tags[name][0].strip("?.") else ""

    return GameRecord(state, outcome, (text("White"), text("Black")), text("Event"), text("Date"))


def _start(game: Game, tags: Mapping[str, tuple[str, int]], cursor: Cursor) -> State:
    if "FEN" not in tags:
        return game.initial_state()
    position, at = tags["FEN"]
    try:
        return game.state_from_text(position)
    except GameError as error:
        raise cursor.error(str(error), at) from error


def _read_moves(state: State, cursor: Cursor) -> str | None:
    """Play the moves of a game; returns the result that ends it, or None where the next game or the end of the text
    does.
    """
    variations: list[int] = []
    while cursor.match(_BETWEEN) and not cursor.is_at_end:
        at, sign = cursor.at, cursor.text[cursor.at]
        if sign == "(":
            variations.append(at)
            cursor.at += 1
        elif sign == ")" and variations:
            variations.pop()
            cursor.at += 1
        elif sign == "[" and not variations:
            return None
        elif found := cursor.match(_RESULT):
            if not variations:
                return found[0]
        elif found := cursor.match(_MOVE):
            if not variations:
                play_written(state, found[0], cursor, at)
        elif sign == "{":
            raise cursor.error("this comment lacks its '}'")
        else:
            raise cursor.error(f"found {sign!r}; there must be a move, a comment or a result")
    if variations:
        raise cursor.error("this variation lacks its ')'", variations[-1])
    return None


def _write_game(record: GameRecord) -> str:
    game = record.state.game
    state = record.state.start()
    result = _UNKNOWN if record.outcome is None else RESULTS.get(record.outcome, _UNKNOWN)
    # The seven tags that every game must have, in their order.
    tags = {"Event": record.event or "?", "Site": "?", "Date": record.date or "????.??.??", "Round": "?"}
    tags |= {"White": record.players[0] or "?", "Black": record.players[1] or "?", "Result": result}
    number = 1
    if state.hash != game.initial_state().hash:
        if game.definition.position_line is None:
            raise NotationError(f"{game.name}: a game that began elsewhere cannot be written in PGN\n{state}")
        tags |= {"SetUp": "1", "FEN": (fen := game.definition.position_line(state))}
        number = int(fen.split()[-1])
    words: list[str] = []
    for action in record.state.actions:
        if state.player == 0 or not words:
            words.append(f"{number}." if state.player == 0 else f"{number}...")
        words.append(state.action_text(action))
        number += state.player
        state.position.apply(action)
    head = "".join(f'[{name} "{_escaped(value)}"]\n' for name, value in tags.items())
    moves = textwrap.fill(" ".join([*words, result]), LINE_LENGTH, break_long_words=False, break_on_hyphens=False)
    return f"{head}\n{moves}\n"


def _escaped(value: str) -> str:
    return " ".join(value.split()).replace("\\", "\\\\").replace('"', '\\"')
