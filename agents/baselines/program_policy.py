"""Lets another program choose the moves, whatever protocol it speaks."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from agents.baselines.conversation import Conversation, LostProgramError
from rlplat.errors import GameError, ProgramError

if TYPE_CHECKING:
    from rlplat.search.game import State

logger = logging.getLogger(__name__)

START_S = 30.0
"""Seconds that a program may take to begin."""


class Dialect(Protocol):
    """How a protocol says what every program is told. `until_s` is a time of `time.monotonic()`."""

    def greet(self, program: Conversation, until_s: float) -> None:
        """Begin, and set what stays as it is; ProgramError if the program cannot do that."""
        ...

    def choose(self, program: Conversation, state: State, until_s: float) -> str:
        """The program's move in a position, as it writes it."""
        ...


class ProgramPolicy:
    """The moves of a program, which is started at once, and again when it ends or hangs in mid-game.

    Args:
        name: of the opponent, for messages.
        command: its command line.
        wait_s: seconds that it may think of one move, before it counts as hung.
    """

    def __init__(self, name: str, command: Sequence[str], dialect: Dialect, wait_s: float) -> None:
        self.name = name
        self._command, self._dialect, self._wait_s = command, dialect, wait_s
        self._program = self._start()

    def act(self, states: Sequence[State]) -> np.ndarray[Any, Any]:
        """The program's choice in each state, int64 `[B]`, one after another.

        Raises ProgramError if it is lost again in a position in which it was lost before, or chooses what is illegal.
        """
        return np.array([self._action(state) for state in states], np.int64)

    def close(self) -> None:
        """End the program."""
        self._program.end()

    def _action(self, state: State) -> int:
        try:
            text = self._choose(state)
        except LostProgramError as error:
            logger.warning("%s; it is started again", error)
            self._program.end()
            self._program = self._start()
            try:
                text = self._choose(state)
            except LostProgramError as again:
                self._program.end()
                raise ProgramError(
                    f"{again}, for the second time in one position of {state.game.name}, after {_moves(state)}\n{state}"
                ) from again
        try:
            return state.parse_action(text)
        except GameError as error:
            what = f"{self.name} chose {text!r}, which is no legal move of {state.game.name}"
            raise ProgramError(f"{what} after {_moves(state)}\n{state}") from error

    def _choose(self, state: State) -> str:
        return self._dialect.choose(self._program, state, time.monotonic() + self._wait_s)

    def _start(self) -> Conversation:
        program = Conversation(self.name, self._command)
        try:
            self._dialect.greet(program, time.monotonic() + START_S)
        except ProgramError:
            program.end()
            raise
        return program


def _moves(state: State) -> str:
    return state.moves_text() or "no moves"
