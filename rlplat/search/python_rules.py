"""Rules written in Python as the compiled search calls them: checks every answer, and remembers what it was told.

The search knows a state by the moves that lead to it, as bytes: one unsigned 16-bit number each. That is of fixed size,
may be copied, stored, and sent to other processes, whatever the user's states are. This finds the state of some moves,
or makes it from the nearest one that it remembers. Of what it remembers it forgets the older half again and again, so
self-play takes no more memory in the end than after a while.
"""

from __future__ import annotations

import hashlib
import random
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rlplat.errors import RulesError

if TYPE_CHECKING:
    from rlplat.search.python_game import PythonGame

MOST_REMEMBERED = 2**15
"""Positions in the newer half of what is remembered, a kilobyte or two each; the search looks back a few thousand."""
MOVE_BYTES = 2
MOST_MOVES = 2**16 - 1
MOST_SHOWN = 300
"""Characters of a state in an error."""

View = tuple[int, float | None, list[int]]
"""Player to move, outcome or None, legal actions (ascending; none once the game is over)."""


@dataclass(slots=True)
class _Position:
    """A user's state, and what it was found to be."""

    state: Any
    content: int
    """Hash of the state when it was made: it differs later if the rules have changed it."""
    view: View | None = None
    planes: NDArray[np.float32] | None = None


class PythonRules:
    """What `rlplat._core.Game.of_python` takes. Every method raises RulesError for rules that break the contract.

    Several threads may call it: at worst two of them work out the same.
    """

    def __init__(self, game: PythonGame[Any]) -> None:
        self._game = game
        self.name = game.name
        self.num_actions = self.max_legal_actions = self._size("num_actions")
        self.min_length, self.max_length = self._size("min_length"), self._size("max_length")
        self.plane_shape = self._plane_shape()
        self.has_heuristic = hasattr(game, "heuristic")
        self._symmetries = self._read_symmetries()
        self.num_symmetries = len(self._symmetries)
        self._newer: dict[bytes, _Position] = {}
        self._older: dict[bytes, _Position] = {}
        self._start = self._position_of(self._ask("initial_state", b""), "initial_state()", b"")
        self.planes(b"")

    def view(self, moves: bytes) -> View:
        """Return what the search must know of a position."""
        position = self._find(moves)
        if position.view is None:
            outcome = self._outcome(moves, position)
            legal = self._legal_actions(moves, position) if outcome is None else []
            position.view = (self._player(moves, position), outcome, legal)
        return position.view

    def check_apply(self, moves: bytes, action: int) -> None:
        """Play an action, so that it is known to lead somewhere."""
        if len(moves) == MOVE_BYTES * self.max_length:
            raise self._error(moves, f"the game goes on beyond max_length {self.max_length}")
        self._find(moves + action.to_bytes(MOVE_BYTES, sys.byteorder))

    def planes(self, moves: bytes) -> NDArray[np.float32]:
        """Float32 `[C, H, W]`."""
        position = self._find(moves)
        if position.planes is None:
            answer = self._ask("planes", moves, position)
            try:
                planes = np.ascontiguousarray(answer, np.float32)
            except (TypeError, ValueError) as error:
                raise self._error(moves, f"planes(state) are no array of numbers: {error}", position) from error
            if planes.shape != self.plane_shape:
                shape = list(planes.shape)
                message = f"planes(state) have the shape {shape}, plane_shape is {list(self.plane_shape)}"
                raise self._error(moves, message, position)
            if not np.isfinite(planes).all():
                raise self._error(moves, "planes(state) hold NaN or infinity", position)
            position.planes = planes.copy() if planes is answer else planes  # the rules may use theirs again
        return position.planes

    def hash(self, moves: bytes) -> int:
        """The state's own hash is of few bits, and alike for -1 and -2; what can be seen of it tells those apart."""
        return _digest(self._find(moves).content, self.evaluation_key(moves))

    def evaluation_key(self, moves: bytes) -> int:
        """All that an evaluation is made of, so it is right whatever else the state holds."""
        return _digest(self.planes(moves).tobytes(), self.view(moves))

    def rollout(self, moves: bytes, seed: int) -> float:
        """Return the outcome of random moves to the end; their positions are not remembered."""
        rng, position = random.Random(seed), self._find(moves)
        while (outcome := self._outcome(moves, position)) is None:
            if len(moves) == MOVE_BYTES * self.max_length:
                raise self._error(moves, f"the game goes on beyond max_length {self.max_length}")
            action = rng.choice(self._legal_actions(moves, position))
            position = self._after(moves, position, action)
            moves += action.to_bytes(MOVE_BYTES, sys.byteorder)
        return outcome

    def symmetry(self, index: int) -> tuple[list[int], list[int]]:
        """Permutations of cells and actions; number 0 is the identity."""
        return self._symmetries[index]

    def action_text(self, moves: bytes, action: int) -> str:
        return str(self._ask("action_text", moves, self._find(moves), action))

    def text(self, moves: bytes) -> str:
        return str(self._ask("text", moves, self._find(moves)))

    def heuristic(self, moves: bytes) -> float:
        position = self._find(moves)
        return self._number(moves, "heuristic(state)", self._ask("heuristic", moves, position), position)

    def _find(self, moves: bytes) -> _Position:
        """The position after some moves: remembered, or made from the nearest one that is."""
        length = len(moves)
        while (position := self._remembered(moves[:length])) is None:
            length -= MOVE_BYTES
        while length < len(moves):
            action = int.from_bytes(moves[length : length + MOVE_BYTES], sys.byteorder)
            position = self._after(moves[:length], position, action)
            length += MOVE_BYTES
            self._remember(moves[:length], position)
        return position

    def _remembered(self, moves: bytes) -> _Position | None:
        if not moves:
            return self._start
        position = self._newer.get(moves)
        if position is None and (position := self._older.get(moves)) is not None:
            self._remember(moves, position)
        return position

    def _remember(self, moves: bytes, position: _Position) -> None:
        if len(self._newer) >= MOST_REMEMBERED:
            self._older, self._newer = self._newer, {}
        self._newer[moves] = position

    def _after(self, moves: bytes, position: _Position, action: int) -> _Position:
        return self._position_of(self._ask("apply", moves, position, action), f"apply(state, {action})", moves)

    def _position_of(self, state: Any, source: str, moves: bytes) -> _Position:
        try:
            content = hash(state)
        except TypeError as error:
            raise self._error(moves, f"{source} gave a state that can change ({error}); {_ALLOWED}") from error
        if type(state).__hash__ is _BY_IDENTITY:
            kind = type(state).__name__
            raise self._error(moves, f"{source} gave a {kind}, which is equal to nothing but itself; {_ALLOWED}")
        return _Position(state, content)

    def _player(self, moves: bytes, position: _Position) -> int:
        player = self._ask("player", moves, position)
        if player not in (0, 1):
            raise self._error(moves, f"player(state) is {player!r}; it must be 0 or 1", position)
        return int(player)

    def _outcome(self, moves: bytes, position: _Position) -> float | None:
        outcome = self._ask("outcome", moves, position)
        return None if outcome is None else self._number(moves, "outcome(state)", outcome, position)

    def _legal_actions(self, moves: bytes, position: _Position) -> list[int]:
        answer = self._ask("legal_actions", moves, position)
        try:
            legal = sorted({action.__index__() for action in answer})
        except (TypeError, AttributeError) as error:
            message = f"legal_actions(state) is {_shown(answer)}; it must be a list of whole numbers"
            raise self._error(moves, message, position) from error
        if not legal:
            message = "legal_actions(state) is empty, but outcome(state) is None: the game goes on and cannot"
            raise self._error(moves, message, position)
        if legal[0] < 0 or legal[-1] >= self.num_actions:
            wrong = legal[0] if legal[0] < 0 else legal[-1]
            message = f"legal_actions(state) holds {wrong}; actions are 0 to {self.num_actions - 1}"
            raise self._error(moves, message, position)
        return legal

    def _number(self, moves: bytes, source: str, value: Any, position: _Position) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise self._error(moves, f"{source} is {_shown(value)}; it must be a number", position) from error
        if not -1.0 <= number <= 1.0:
            raise self._error(moves, f"{source} is {number:g}; it must lie in [-1, 1]", position)
        return number

    def _ask(self, method: str, moves: bytes, position: _Position | None = None, *arguments: int) -> Any:
        """Call a method of the user's about a state, and see that it leaves the state alone."""
        states = () if position is None else (position.state,)
        call = f"{method}({', '.join([*('state' for _ in states), *map(str, arguments)])})"
        try:
            answer = getattr(self._game, method)(*states, *arguments)
        except Exception as error:  # the user's code, which may raise anything
            raise self._error(moves, f"{call} raised {in_words(error)}", position) from error
        if position is not None and _content(position.state) != position.content:
            message = f"{call} changed the state that it was given; return a new one"
            raise self._error(moves, message, position)
        return answer

    def _error(self, moves: bytes, message: str, position: _Position | None = None) -> RulesError:
        played = " ".join(map(str, np.frombuffer(moves, np.uint16)))
        where = f"after the actions {played}" if moves else "at the start"
        state = "" if position is None else f", in the state {_shown(position.state)}"
        return RulesError(f"{self.name}: {message} ({where}{state})")

    def _size(self, name: str) -> int:
        value = getattr(self._game, name, None)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_MOVES:
            raise RulesError(
                f"{self._game.name}: {name} is {value!r}; it must be a whole number from 1 to {MOST_MOVES}"
            )
        return value

    def _plane_shape(self) -> tuple[int, int, int]:
        shape = getattr(self._game, "plane_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
            raise RulesError(f"{self.name}: plane_shape is {shape!r}; it must be three numbers: planes, rows, columns")
        return shape

    def _read_symmetries(self) -> list[tuple[list[int], list[int]]]:
        _, height, width = self.plane_shape
        sizes = (height * width, self.num_actions)
        found = [(list(range(sizes[0])), list(range(sizes[1])))]
        for number, pair in enumerate(self._ask("symmetries", b""), start=1):
            try:
                cells, actions = (np.asarray(part).ravel().tolist() for part in pair)
            except (TypeError, ValueError) as error:
                raise RulesError(f"{self.name}: symmetry {number} must be two orders, of cells and actions") from error
            for what, part, size in (("cells", cells, sizes[0]), ("actions", actions, sizes[1])):
                if sorted(part) != list(range(size)):
                    raise RulesError(
                        f"{self.name}: {what} of symmetry {number} are {part}, no order of 0 to {size - 1}"
                    )
            found.append((cells, actions))
        return found


_BY_IDENTITY: Any = object.__hash__
_ALLOWED = "states are tuples, NamedTuples, strings, frozen dataclasses and the like, which compare by content"


def _digest(*parts: Any) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return int.from_bytes(digest.digest(), "little")


def _content(state: Any) -> int | None:
    try:
        return hash(state)
    except TypeError:  # something that cannot be hashed was put into it
        return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def in_words(error: Exception) -> str:
    """What the user's code raised, and where."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    place = f" in {frames[-1].filename}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
