"""A trained agent as a program of the Universal Chess Interface (UCI, by S. Meyer-Kahlen and R. Huber)."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterable, Mapping
from typing import TextIO

from rlplat import __version__
from rlplat.errors import RlplatError
from rlplat.play.player import Player, Thought, share_of_clock
from rlplat.search.game import State

OVERHEAD_S = 0.05
"""Kept back of every move for the way to the clock and back."""

NO_MOVE = "0000"
"""What is answered where no move can be made."""


class UciServer:
    """Answers commands; thinks in a thread of its own, so that it hears `stop` and `isready` meanwhile."""

    def __init__(self, player: Player, output: TextIO) -> None:
        self._player, self._output = player, output
        self._writing = threading.Lock()
        self._state: State | None = player.game.initial_state()
        """None: what was to be set up is no position."""
        self._stop = threading.Event()
        self._thinking: threading.Thread | None = None
        self._is_endless = False

    def serve(self, lines: Iterable[str]) -> None:
        """Answer every line until `quit` or the end; a move under way is answered first, and at the end of the lines
        its search goes on to its limit if it has one.
        """
        try:
            for line in lines:
                words = line.split()
                if words[:1] == ["quit"]:
                    return
                self._answer(words)
            if self._thinking is not None and not self._is_endless:
                self._thinking.join()
        finally:
            self._end_thinking()

    def _answer(self, words: list[str]) -> None:
        match words:
            case ["uci"]:
                self._say(f"id name rlplat {__version__} {self._player.name}", "id author rlplat", "uciok")
            case ["isready"]:
                self._say("readyok")
            case ["ucinewgame"]:
                self._end_thinking()
                self._state = self._player.game.initial_state()
            case ["position", *rest]:
                self._end_thinking()
                self._set_up(rest)
            case ["go", *rest]:
                self._end_thinking()
                self._stop, limits = threading.Event(), _read_go(rest)
                self._thinking = threading.Thread(target=self._go, args=(limits,))
                self._is_endless = "infinite" in limits
                self._thinking.start()
            case ["stop"]:
                self._stop.set()
            case [] | ["setoption" | "debug" | "ponderhit" | "register", *_]:
                pass  # there are no options, and nothing is pondered
            case _:
                self._say(f"info string unknown command: {' '.join(words)[:80]}")

    def _set_up(self, words: list[str]) -> None:
        """`startpos` or `fen` and its fields, then perhaps `moves` and these."""
        self._state = None
        place = words.index("moves") if "moves" in words else len(words)
        try:
            match words[:place]:
                case ["startpos"]:
                    state = self._player.game.initial_state()
                case ["fen", *fields]:
                    state = self._player.game.state_from_text(" ".join(fields))
                case _:
                    raise RlplatError("a position is startpos, or fen and its six fields")
            for move in words[place + 1 :]:
                state = self._going_on(state)
                state.apply(state.parse_action(move))
            self._state = self._going_on(state)
        except RlplatError as error:
            self._say(f"info string {str(error).splitlines()[0]}")

    def _going_on(self, state: State) -> State:
        """The same position as the start of a game, where only its past made it a draw: elsewhere draws are claimed."""
        write = self._player.game.definition.position_line
        if not state.is_terminal or write is None:
            return state
        fresh = self._player.game.state_from_text(write(state))
        return state if fresh.is_terminal else fresh

    def _go(self, limits: Mapping[str, float]) -> None:
        state, best, thought = self._state, NO_MOVE, None
        try:
            if state is not None and not state.is_terminal:
                seconds, simulations = self._seconds(state, limits), limits.get("nodes")
                for thought in self._player.think(
                    state,
                    seconds=seconds,
                    simulations=None if simulations is None else max(1, int(simulations)),
                    stop=self._stop,
                ):
                    self._say(_info(state, thought))
                assert thought is not None
                best = state.action_text(thought.action, "uci")
            if "infinite" in limits:
                self._stop.wait()
        except RlplatError as error:
            self._say(f"info string {str(error).splitlines()[0]}")
        self._say(f"bestmove {best}")

    def _seconds(self, state: State, limits: Mapping[str, float]) -> float | None:
        if "infinite" in limits:
            return math.inf
        if "movetime" in limits:
            return max(0.0, limits["movetime"] / 1000 - OVERHEAD_S)
        clock, increment = ("wtime", "winc") if state.player == 0 else ("btime", "binc")
        if clock not in limits:
            return None
        left, added = limits[clock] / 1000 - OVERHEAD_S, limits.get(increment, 0.0) / 1000
        return share_of_clock(max(0.0, left), added, int(limits.get("movestogo", 0)))

    def _end_thinking(self) -> None:
        self._stop.set()
        if self._thinking is not None:
            self._thinking.join()
            self._thinking = None

    def _say(self, *lines: str) -> None:
        with self._writing:
            self._output.write("".join(f"{line}\n" for line in lines))
            self._output.flush()


def _read_go(words: list[str]) -> dict[str, float]:
    """What limits a move, by its word; what is no number counts as not said, and `depth` has no meaning here."""
    limits: dict[str, float] = {}
    for word, value in itertools.zip_longest(words, words[1:], fillvalue=""):
        if word == "infinite":
            limits[word] = math.inf
        elif word in ("nodes", "movetime", "wtime", "btime", "winc", "binc", "movestogo"):
            try:
                limits[word] = min(max(0.0, float(value)), 1e9)
            except ValueError:
                continue
    return limits


def _info(state: State, thought: Thought) -> str:
    words = [f"info time {round(1000 * thought.seconds)}"]
    if thought.simulations is not None:
        words.append(f"nodes {thought.simulations}")
    if thought.value is not None:
        words.append(f"score cp {centipawns(thought.value)}")
    replay, line = state.copy(), []
    for action in thought.line:
        line.append(replay.action_text(action, "uci"))
        replay.position.apply(action)
    return " ".join([*words, *(["pv", *line] if line else [])])


def centipawns(value: float) -> int:
    """A value in [-1, 1] as the lead that it is worth if four pawns are odds of 10 to 1, as 400 points of Elo are."""
    share = min(max((value + 1) / 2, 1e-6), 1 - 1e-6)
    return round(400 * math.log10(share / (1 - share)))
