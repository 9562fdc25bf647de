"""The Python face of every game: rules are compiled, this wraps them.

Axes: A actions, C planes, H rows, W columns. Two players, 0 and 1; returns are zero-sum.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rlplat import _core
from rlplat.errors import GameError
from rlplat.interfaces import EnvSpec, board_spec
from rlplat.search import library

if TYPE_CHECKING:
    from rlplat.notation.record import RecordForm


@dataclass(frozen=True)
class GameDefinition:
    """A game before its parameters are set: the header that holds its rules."""

    name: str
    header: Path
    positions: Path | None = None
    """A file of positions with exact scores (see `rlplat.evaluation.positions`), by which every evaluation of a run of
    this game with the file's parameters is judged, too. A few hundred: each costs two searches."""
    record: RecordForm | None = None
    """How people write games of it down: `rlplat.notation.sgf.SgfForm` or `rlplat.notation.pgn.PgnForm`."""
    position_line: Callable[[State], str] | None = None
    """A position as one line that `Game.state_from_text` reads (chess: a FEN); a function of a module."""
    protocol: Literal["gtp", "uci"] | None = None
    """How programs play it with each other. `gtp`: by the Go Text Protocol, with the names of moves as vertices, and
    parameters `size` and `komi` as its commands set them. `uci`: by the Universal Chess Interface, with a notation
    `uci` and `position_line`."""

    def load(self, **parameters: float) -> Game:
        """Compile the rules if need be and set the parameters.

        Raises GameError for a header that does not compile, an unknown parameter, or a value out of range.
        """
        path = library.build(self.header)
        try:
            description = _core.describe_library(str(path))
        except RuntimeError as error:
            raise GameError(f"{self.header}: {error}") from error
        if description["name"] != self.name:
            raise GameError(
                f"{self.header}: its RLPLAT_GAME line says '{description['name']}', its GameDefinition '{self.name}'"
            )
        values = check_parameters(self.name, description["parameters"], parameters)
        try:
            core = _core.Game(str(path), list(values.values()))
        except ValueError as error:
            given = ", ".join(f"{name}={value:g}" for name, value in values.items())
            raise GameError(f"{self.name} refuses {given}: {error}") from error
        return Game(self, core, values)

    def libraries(self) -> list[Path]:
        """Compile the rules if need be; return the libraries that a job must carry."""
        return [library.build(self.header)]


class GameType(Protocol):
    """A game before its parameters are set: what a configuration names. `GameDefinition` says what each part means."""

    @property
    def name(self) -> str: ...

    @property
    def positions(self) -> Path | None: ...

    @property
    def record(self) -> RecordForm | None: ...

    @property
    def position_line(self) -> Callable[[State], str] | None: ...

    @property
    def protocol(self) -> Literal["gtp", "uci"] | None: ...

    def load(self, **parameters: float) -> Game: ...

    def libraries(self) -> list[Path]: ...


def check_parameters(
    game: str, specifications: Sequence[Mapping[str, Any]], given: Mapping[str, float]
) -> dict[str, float]:
    """Return the value of every parameter, those not given by their defaults.

    `specifications` are dicts of name, default, minimum, maximum, is_integer. GameError for what does not fit.
    """
    known = {specification["name"]: specification for specification in specifications}
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; it has {', '.join(known) or 'none'}"
            raise GameError(f"{game} has no parameter '{name}'{hint}")
    values = {}
    for name, specification in known.items():
        value = given.get(name, specification["default"])
        low, high = specification["minimum"], specification["maximum"]
        whole = specification["is_integer"]
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not low <= value <= high or (whole and value != int(value)):
            found = f"{value:g}" if is_number else repr(value)
            kind = "a whole number" if whole else "a number"
            limits = f" from {low:g} to {high:g}" if math.isfinite(high - low) else ""
            raise GameError(f"{game}: {name} is {found}; it must be {kind}{limits}")
        values[name] = float(value)
    return values


class Game:
    """A game with its parameters set."""

    def __init__(self, definition: GameType, core: _core.Game, parameters: Mapping[str, float]) -> None:
        self.definition = definition
        self.core = core
        """The compiled game, as `rlplat._core` takes it."""
        self.parameters = dict(parameters)
        self.name: str = core.name
        self.num_actions: int = core.num_actions
        self.max_legal_actions: int = core.max_legal_actions
        self.plane_shape: tuple[int, int, int] = core.plane_shape
        self.num_symmetries: int = core.num_symmetries
        self.min_length: int = core.min_length
        self.max_length: int = core.max_length
        self.state_size: int = core.state_size
        self.notations: tuple[str, ...] = tuple(core.notations)
        """Ways to write an action, the game's own first; empty where there is only one."""
        self.has_heuristic: bool = core.has_heuristic
        self.exact_score_from: int | None = None if core.exact_score_from < 0 else core.exact_score_from
        """Plies from which on exact scores take seconds at most; None: the game has none with these parameters."""

    @property
    def spec(self) -> EnvSpec:
        return board_spec(self.name, self.plane_shape, self.num_actions)

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.definition, self.parameters)

    def check_exact_score(self) -> None:
        """Raise GameError if this game has no exact scores."""
        if self.exact_score_from is None:
            given = ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())
            raise GameError(f"{self.name}{f' with {given}' if given else ''} has no exact scores; {_solved_games()}")

    def initial_state(self) -> State:
        return State(self, _core.Position(self.core))

    def state_from_text(self, text: str) -> State:
        """The position that a text describes (chess: a FEN), as the start of a game.

        GameError if the game reads none, or if play could not start from that one.
        """
        if not self.core.parses_states:
            raise GameError(f"{self.name} reads no positions; its header may define parse_state(text)")
        try:
            return State(self, _core.Position(self.core, text))
        except ValueError as error:
            raise GameError(f"{self.name}: {text!r} is no position: {error}") from error

    def state_from_moves(self, moves: str | Sequence[int]) -> State:
        """The state after moves from the start, as text ("4453", "d3 c5") or actions. GameError if one is illegal."""
        state = self.initial_state()
        state.play(moves)
        return state

    def symmetry(self, index: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Permutations `cells [H * W]` and `actions [A]` of one symmetry; number 0 is the identity.

        `new_planes[c].flat[i] = planes[c].flat[cells[i]]` and `new_policy[a] = policy[actions[a]]`.
        """
        cells = np.empty(self.plane_shape[1] * self.plane_shape[2], np.int32)
        actions = np.empty(self.num_actions, np.int32)
        self.core.symmetry(index, cells, actions)
        return cells, actions


def _solved_games() -> str:
    """Which shipped games have exact scores, as a sentence."""
    from rlplat import registry

    games = {name: registry.resolve(name, kind="game") for name in registry.names("game")}
    solved = [name for name, definition in games.items() if definition.load().exact_score_from is not None]
    return f"with their default parameters these have: {', '.join(solved) or 'none'}"


def _load(definition: GameType, parameters: Mapping[str, float]) -> Game:
    return definition.load(**parameters)


class State:
    """A position and the game that led to it."""

    def __init__(self, game: Game, position: _core.Position) -> None:
        self.game = game
        self.position = position
        """The compiled position, as `rlplat._core` takes it."""

    @property
    def player(self) -> int:
        """The player to move."""
        return self.position.player

    @property
    def num_moves(self) -> int:
        return self.position.num_moves

    @property
    def actions(self) -> list[int]:
        """The actions played so far."""
        return self.position.actions

    def count_lines(self, num_plies: int, *, one_by_one: bool = False) -> int:
        """How many lines of so many plies lead on from here ("perft"); one that ends the game before does not count.

        With `one_by_one` the moves of the last ply are made, not only counted: the number is the same, and the time
        that of so many moves.
        """
        if num_plies < 0:
            raise GameError(f"num_plies is {num_plies}; it must be >= 0")
        return self.position.count_lines(num_plies, one_by_one)

    @property
    def is_terminal(self) -> bool:
        return self.position.returns is not None

    @property
    def returns(self) -> NDArray[np.float32]:
        """Return of each player, float32 `[2]`. GameError while the game goes on."""
        returns = self.position.returns
        if returns is None:
            raise GameError(f"{self.game.name}: the game is not over, it has no returns yet\n{self}")
        return np.asarray(returns, np.float32)

    @property
    def hash(self) -> int:
        return self.position.hash

    @property
    def evaluation_key(self) -> int:
        """Equal keys: equal planes, legal actions and results from here on."""
        return self.position.evaluation_key

    def legal_actions(self) -> NDArray[np.int32]:
        """Ascending, int32 `[n]`; empty once the game is over."""
        return np.asarray(self.position.legal_actions(), np.int32)

    def apply(self, action: int) -> None:
        """Play `action`. GameError if it is not legal here."""
        legal = self.position.legal_actions()
        if action not in legal:
            if not legal:
                raise GameError(f"{self.game.name}: the game is over, action {action} cannot be played\n{self}")
            names = ", ".join(f"{self.action_text(a)} ({a})" for a in legal)
            raise GameError(f"{self.game.name}: action {action} is not legal here; legal are {names}\n{self}")
        self.position.apply(action)

    def play(self, moves: str | Sequence[int]) -> None:
        """Play several moves, as text ("4453", "d3 c5") or actions.

        GameError if one is illegal; those before it are played then.
        """
        for move in self._split_moves(moves) if isinstance(moves, str) else moves:
            self.apply(self.parse_action(move) if isinstance(move, str) else int(move))

    def _split_moves(self, text: str) -> list[str]:
        """Moves separated by spaces or commas; without either, one character each if the moves here are so named."""
        parts = text.replace(",", " ").split()
        return list(parts[0]) if len(parts) == 1 and self.has_short_names() else parts

    def copy(self) -> State:
        return State(self.game, self.position.copy())

    def start(self) -> State:
        """Where the game began."""
        return State(self.game, self.position.start())

    def planes(self) -> NDArray[np.float32]:
        """What the network sees, from the view of the player to move: float32 `[C, H, W]`."""
        planes = np.empty(self.game.plane_shape, np.float32)
        self.position.encode(planes)
        return planes

    def heuristic(self) -> float:
        """A guess of the result from the view of the player to move, in [-1, 1]; of a finished game the result itself.

        GameError if the game has none.
        """
        if not self.game.has_heuristic:
            raise GameError(f"{self.game.name} has no heuristic; its header may define heuristic(state)")
        return float(self.returns[self.player]) if self.is_terminal else self.position.heuristic()

    def exact_score(self) -> int:
        """What perfect play leads to, from the view of the player to move: above 0 a win, below a loss, 0 a draw.

        The unit is the game's own (see its header), more is better. GameError if the game has none. It may take hours
        where fewer than `Game.exact_score_from` moves were made.
        """
        self.game.check_exact_score()
        return self.position.exact_score()

    def action_scores(self) -> NDArray[np.int32]:
        """Exact score of each legal action, in their order, from the view of the player to move: int32 `[n]`.

        Their maximum is `exact_score()`; empty once the game is over. GameError if the game has none.
        """
        self.game.check_exact_score()
        return np.asarray(self.position.action_scores(), np.int32)

    def action_text(self, action: int, notation: str | None = None) -> str:
        """A legal action as text, in the game's own notation or in another one of `Game.notations`.

        GameError for an unknown notation.
        """
        if notation is None:
            return self.position.action_text(action)
        known = self.game.notations
        if notation not in known:
            hint = f"; it has {', '.join(known)}" if known else ""
            raise GameError(f"{self.game.name} has no notation {notation!r}{hint}")
        return self.position.action_text(action, known.index(notation))

    def parse_action(self, text: str) -> int:
        """The legal action that a text means, in any of the game's notations. GameError if there is none."""
        legal = self.position.legal_actions()
        names = {self.action_text(action): action for action in legal}
        action = self.position.parse_action(text) if self.game.core.parses_actions else names.get(text, -1)
        if action not in legal:
            allowed = f"legal are {', '.join(names)}" if names else "the game is over"
            raise GameError(f"{self.game.name}: '{text}' is no legal move here; {allowed}\n{self}")
        return action

    def has_short_names(self) -> bool:
        """Whether the name of every legal action is one character."""
        return all(len(self.action_text(action)) == 1 for action in self.position.legal_actions())

    def moves_text(self) -> str:
        """The moves so far as text that `Game.state_from_moves` reads, or `play` where the game began elsewhere."""
        replay = self.start()
        short = replay.has_short_names()
        texts = []
        for action in self.actions:
            texts.append(replay.action_text(action))
            replay.position.apply(action)
        return "".join(texts) if short and all(len(text) == 1 for text in texts) else " ".join(texts)

    def __str__(self) -> str:
        return self.position.text()
