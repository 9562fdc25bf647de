"""Games in the Smart Game Format (SGF FF[4], https://www.red-bean.com/sgf): one main line from the usual start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rlplat import __version__
from rlplat.errors import GameError, NotationError
from rlplat.notation.record import Cursor, GameRecord, play_written
from rlplat.notation.sgf_text import Node, Property, read_main_lines, write_game

if TYPE_CHECKING:
    from rlplat.search.game import GameType, State

_COLOURS = ("B", "W")
_SETUP = ("AB", "AW", "AE")
_PLAYERS = ("PB", "PW")
_RESULTS = {"B+": 1.0, "W+": -1.0, "0": 0.0, "DR": 0.0}
"""The first two letters of RE, and the return of Black; there may follow by how much, or `aw`."""


@dataclass(frozen=True)
class SgfForm:
    """How one game is written in SGF. The first player has Black."""

    number: int
    """Of the game: its property GM."""
    points: Literal["letters", "names"]
    """`letters`: column and row from the top left, "dc"; the game's actions are its cells, row by row from there, and
    what else there is comes after them. `names`: as the game itself names its moves."""
    size: int
    """Rows and columns where neither a file nor its reader names them."""
    parameters: Mapping[str, str] = field(default_factory=lambda: {"SZ": "size"})
    """Properties that are parameters of the game."""
    moves: Mapping[str, str] = field(default_factory=dict)
    """Values that are no points, and the moves that they mean; of several for one move, the first is written."""

    suffix = ".sgf"

    def read(
        self, text: str, definition: GameType, parameters: Mapping[str, float], *, source: str
    ) -> list[GameRecord]:
        """Read the main line of every game; see `RecordForm.read`."""
        cursor = Cursor(text, source)
        return [self._read_game(nodes, definition, parameters, cursor) for nodes in read_main_lines(cursor)]

    def write(self, records: Sequence[GameRecord]) -> str:
        """Write games, each from the usual start; NotationError for one that began elsewhere."""
        return "".join(map(self._write_game, records))

    def _read_game(
        self, nodes: Sequence[Node], definition: GameType, parameters: Mapping[str, float], cursor: Cursor
    ) -> GameRecord:
        root = nodes[0]
        number = root["GM"].values[0].strip() if "GM" in root else "1"
        if number != str(self.number):
            at = root["GM"].at if "GM" in root else 0
            raise cursor.error(f"this is game number {number}; {definition.name} is written as GM[{self.number}]", at)
        told = {self.parameters[name]: _number(root[name], cursor) for name in self.parameters if name in root}
        try:
            state = definition.load(**{"size": self.size, **parameters, **told}).initial_state()
        except GameError as error:
            at = next((root[name].at for name in self.parameters if name in root), 0)
            raise cursor.error(str(error), at) from error
        for node in nodes:
            self._play_node(state, node, cursor)
        return _described(root, state)

    def _play_node(self, state: State, node: Node, cursor: Cursor) -> None:
        setup = next((node[name] for name in _SETUP if name in node), None)
        if setup is not None:
            raise cursor.error(f"{setup.name} sets stones up; only games from the usual start can be read", setup.at)
        found = [node[colour] for colour in _COLOURS if colour in node]
        if len(found) > 1:
            raise cursor.error("one node has moves of both B and W; each move has a node of its own", found[1].at)
        for move in found:
            if not state.is_terminal and move.name != _COLOURS[state.player]:
                colour = _COLOURS[state.player]
                raise cursor.error(f"move {state.num_moves + 1} is of {move.name}; it is {colour}'s turn", move.at)
            if len(move.values) > 1:
                raise cursor.error(f"{move.name} has {len(move.values)} values; a move is one", move.at)
            written = f"{move.name}[{move.values[0]}]"
            play_written(state, self._move_text(state, move.values[0].strip()), cursor, move.at, written=written)

    def _move_text(self, state: State, value: str) -> str:
        """What the game calls a move; a value that is none comes back as it is."""
        if value.lower() in self.moves:
            return self.moves[value.lower()]
        if self.points == "names":
            return value.lower()
        _, num_rows, num_columns = state.game.plane_shape
        if len(value) != 2:
            return value
        column, row = (ord(letter) - ord("a") for letter in value)
        if not (0 <= column < num_columns and 0 <= row < num_rows):
            return value
        return state.action_text(row * num_columns + column)

    def _write_game(self, record: GameRecord) -> str:
        game = record.state.game
        state = game.initial_state()
        if record.state.start().hash != state.hash:
            raise NotationError(f"{game.name}: a game that began elsewhere cannot be written in SGF\n{record.state}")
        moves = []
        for action in record.state.actions:
            moves.append((_COLOURS[state.player], self._value(state, action)))
            state.position.apply(action)
        return write_game(self._root(record), moves)

    def _root(self, record: GameRecord) -> list[tuple[str, str]]:
        parameters = record.state.game.parameters
        root = [("FF", "4"), ("GM", str(self.number)), ("CA", "UTF-8"), ("AP", f"rlplat:{__version__}")]
        root += [(name, f"{parameters[parameter]:g}") for name, parameter in self.parameters.items()]
        texts = [*zip(_PLAYERS, record.players, strict=True), ("EV", record.event), ("DT", record.date)]
        root += [(name, text) for name, text in texts if text]
        root += [("RE", text) for text, outcome in _RESULTS.items() if outcome == record.outcome][:1]
        return root

    def _value(self, state: State, action: int) -> str:
        text = state.action_text(action)
        for value, move in self.moves.items():
            if move == text:
                return value
        if self.points == "names":
            return text
        row, column = divmod(action, state.game.plane_shape[2])
        return chr(ord("a") + column) + chr(ord("a") + row)


def _number(found: Property, cursor: Cursor) -> float:
    """The value of SZ or KM; a square board's size may be written twice: "9:9"."""
    first, _, second = found.values[0].partition(":")
    try:
        value = float(first)
    except ValueError:
        value = float("nan")
    if value != value or (second and second.strip() != first.strip()):
        raise cursor.error(f"{found.name} is {found.values[0]!r}; it must be a number", found.at)
    return value


def _described(root: Node, state: State) -> GameRecord:
    def text(name: str) -> str:
        return " ".join(root[name].values[0].split()) if name in root else ""

    outcome = _RESULTS.get(text("RE").upper()[:2])
    if outcome is None and state.is_terminal:
        outcome = float(state.returns[0])
    return GameRecord(state, outcome, (text("PB"), text("PW")), text("EV"), text("DT"))
