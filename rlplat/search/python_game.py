"""Games whose rules are written in Python: one class, `PythonGame`, to derive from.

    class Nim(PythonGame[tuple[int, ...]]):
        num_actions, plane_shape, max_length = 15, (1, 3, 5), 15
        def initial_state(self): ...

A state is whatever the class makes of it, as long as it never changes and compares by content: a tuple, a NamedTuple,
a string, a frozen dataclass. The search calls the rules for every move that it tries, so they set its speed:
docs/games.md says by how much they are slower than the same rules in C++.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from numpy.typing import ArrayLike

from rlplat import _core
from rlplat.errors import GameError, RulesError
from rlplat.search.game import Game, check_parameters
from rlplat.search.python_rules import PythonRules, in_words

if TYPE_CHECKING:
    from rlplat.notation.record import RecordForm

StateT = TypeVar("StateT")


class PythonGame(ABC, Generic[StateT]):
    """Rules of a game of two players, 0 and 1, in which one wins what the other loses.

    Its parameters are the keyword arguments of `__init__`, numbers with a default; one that cannot be played with is
    refused by a ValueError that says why. What depends on them is set there: `self.num_actions = ...`.

    A class may add `heuristic(self, state) -> float`: a guess of the result from -1 to 1, from the view of the player
    to move. The opponent `alphabeta:D` plays by it.
    """

    name: ClassVar[str]
    """In reports; the name of the class unless it says otherwise."""
    positions: ClassVar[Path | None] = None
    record: ClassVar[RecordForm | None] = None
    position_line: ClassVar[Callable[[Any], str] | None] = None
    protocol: ClassVar[Literal["gtp", "uci"] | None] = None
    num_actions: int
    """Actions are 0 to `num_actions - 1`, at most 65,535 of them."""
    plane_shape: tuple[int, int, int]
    """Of what the network sees: planes, rows, columns."""
    max_length: int
    """No game has more plies. Each position of a game takes twice as many bytes, in the search and in the replay."""
    min_length: int = 1
    """Plies of the shortest game. Half of them, up to 8, are played at random where benchmarks need openings."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__dict__.get("name", cls.__name__)

    @abstractmethod
    def initial_state(self) -> StateT: ...

    @abstractmethod
    def player(self, state: StateT) -> int:
        """Who is to move: 0 or 1."""

    @abstractmethod
    def legal_actions(self, state: StateT) -> Sequence[int]:
        """At least one, in any order. Not asked of a state in which the game is over."""

    @abstractmethod
    def apply(self, state: StateT, action: int) -> StateT:
        """Return the state after a legal action, as a new object."""

    @abstractmethod
    def outcome(self, state: StateT) -> float | None:
        """What player 0 has won, from -1 to 1, once the game is over; None while it goes on."""

    @abstractmethod
    def planes(self, state: StateT) -> ArrayLike:
        """What the network sees, from the view of the player to move: numbers `[C, H, W]`. No plane needs to tell who
        that is.
        """

    def symmetries(self) -> Sequence[tuple[ArrayLike, ArrayLike]]:
        """Permutations (cells `[H * W]`, actions `[A]`) that leave the game as it is, besides the identity.

        `new_planes[c].flat[i] = planes[c].flat[cells[i]]` and `new_policy[a] = policy[actions[a]]`. They must form a
        group together with the identity: the inverse of each, and each after each, are among them.
        """
        return ()

    def action_text(self, state: StateT, action: int) -> str:
        """A legal action as people write it, without spaces; no other one here is written so."""
        return str(action)

    def text(self, state: StateT) -> str:
        """A position as people read it: all of it, the player to move included."""
        return repr(state)

    @classmethod
    def load(cls, **parameters: float) -> Game:
        """Return the game with its parameters set, as the search plays it.

        Raises GameError for a class that lacks something, an unknown parameter, or one that the class refuses.
        """
        if missing := sorted(cls.__abstractmethods__):
            raise GameError(f"{cls.name} in {_file(cls)} must define {', '.join(missing)}")
        values = check_parameters(cls.name, _parameters(cls), parameters)
        given = {name: int(value) if value.is_integer() else value for name, value in values.items()}
        try:
            rules = cls(**given)
        except ValueError as error:
            written = ", ".join(f"{name}={value:g}" for name, value in values.items())
            raise GameError(f"{cls.name} refuses {written or 'to be made'}: {error}") from error
        except Exception as error:  # the user's code, which may raise anything
            raise RulesError(f"{cls.name}: __init__ raised {in_words(error)}") from error
        return Game(cls, _core.Game.of_python(PythonRules(rules)), values)

    @classmethod
    def libraries(cls) -> list[Path]:
        """Return the compiled libraries that a job must carry: none."""
        return []


def _parameters(cls: type[PythonGame[Any]]) -> list[Mapping[str, Any]]:
    """The arguments of `__init__` in the form in which compiled games describe theirs."""
    if cls.__init__ is object.__init__:
        return []
    found: list[Mapping[str, Any]] = []
    for argument in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        default = argument.default
        if isinstance(default, bool) or not isinstance(default, int | float):
            raise GameError(
                f"{cls.name} in {_file(cls)}: the argument {argument.name} of __init__ must have a number as default"
            )
        limits = {"minimum": float("-inf"), "maximum": float("inf"), "is_integer": isinstance(default, int)}
        found.append({"name": argument.name, "default": default, **limits})
    return found


def _file(cls: type) -> str:
    try:
        return inspect.getfile(cls)
    except (TypeError, OSError):  # made in an interactive session
        return cls.__module__
