"""A trained agent as a program of the Go Text Protocol (GTP version 2, draft 2, by G. Farnebäck)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from rlplat import __version__
from rlplat.errors import GameError, NotationError, RlplatError
from rlplat.notation.files import read_games
from rlplat.play.player import Player, share_of_clock
from rlplat.search.game import State

_COLOURS = {"b": 0, "black": 0, "w": 1, "white": 1}


class Refusal(RlplatError):
    """A command that cannot be obeyed; its text goes after the question mark."""


class GtpServer:
    """Answers commands. Two moves of one colour in a row are played with a pass of the other in between."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._states = [player.game.initial_state()]
        """The game after each command that moved, for `undo`."""
        self._is_over = False
        self._settings: tuple[float, float, int] | None = None
        """Main time and byo-yomi in seconds, and stones of a byo-yomi; None: no clock."""
        self._left: dict[int, tuple[float, int]] = {}
        """By colour what the controller last said: seconds, and stones to play in them (0: main time)."""
        self._commands: dict[str, Callable[[list[str]], str]] = {
            "boardsize": self._boardsize,
            "clear_board": self._clear_board,
            "genmove": self._genmove,
            "known_command": lambda words: str(_word(words, 0) in self._commands).lower(),
            "komi": self._komi,
            "list_commands": lambda _: "\n".join(sorted(self._commands)),
            "loadsgf": self._loadsgf,
            "name": lambda _: f"rlplat {self._player.name}",
            "play": self._play,
            "protocol_version": lambda _: "2",
            "quit": self._quit,
            "reg_genmove": self._reg_genmove,
            "showboard": lambda _: f"\n{self._state}".rstrip(),
            "time_left": self._time_left,
            "time_settings": self._time_settings,
            "undo": self._undo,
            "version": lambda _: __version__,
        }

    def serve(self, lines: Iterable[str], output: TextIO) -> None:
        """Answer every line until `quit` or the end."""
        for line in lines:
            answer = self.answer(line)
            if answer is not None:
                output.write(answer)
                output.flush()
            if self._is_over:
                return

    def answer(self, line: str) -> str | None:
        """The answer to a line, with the empty line that ends it; None where the line holds no command."""
        kept = "".join(letter for letter in line.partition("#")[0] if letter.isprintable() or letter == "\t")
        words = kept.split()
        number = words.pop(0) if words and words[0].isascii() and words[0].isdigit() else ""
        if not words:
            return None if not number else f"?{number} syntax error\n\n"
        command = self._commands.get(words[0])
        try:
            if command is None:
                raise Refusal("unknown command")
            text = command(words[1:])
        except RlplatError as refusal:
            return f"?{number} {str(refusal).splitlines()[0]}\n\n"
        return f"={number} {text}\n\n" if text else f"={number}\n\n"

    @property
    def _state(self) -> State:
        return self._states[-1]

    def _quit(self, _: list[str]) -> str:
        self._is_over = True
        return ""

    def _boardsize(self, words: list[str]) -> str:
        size = _number(words, 0)
        if size != self._player.game.parameters.get("size"):
            raise Refusal("unacceptable size")  # the network is of one board
        return self._clear_board([])

    def _clear_board(self, _: list[str]) -> str:
        self._states = [self._player.game.initial_state()]
        self._left = {}
        return ""

    def _komi(self, words: list[str]) -> str:
        """Play by another komi, from here on; the network was trained with its own and does not see it."""
        komi = _number(words, 0)
        if komi != self._player.game.parameters.get("komi"):
            try:
                self._player.change({"komi": komi})
            except GameError as error:
                raise Refusal(f"unacceptable komi: {error}") from error
            self._states = [self._player.game.state_from_moves(state.actions) for state in self._states]
        return ""

    def _play(self, words: list[str]) -> str:
        state = self._to_move(_colour(words))
        try:
            state.apply(state.parse_action(_word(words, 1)))
        except GameError as error:
            raise Refusal("illegal move") from error
        self._states.append(state)
        return ""

    def _genmove(self, words: list[str]) -> str:
        state, text = self._choose(_colour(words))
        if not state.is_terminal:
            state.apply(state.parse_action(text))
            self._states.append(state)
        return text

    def _reg_genmove(self, words: list[str]) -> str:
        return self._choose(_colour(words))[1]

    def _choose(self, colour: int) -> tuple[State, str]:
        """The state in which a colour is to move, and its move; where the game is over, a pass."""
        state = self._state.copy() if self._state.is_terminal else self._to_move(colour)
        if state.is_terminal:
            return state, "pass"
        *_, thought = self._player.think(state, seconds=self._seconds(colour), stop=threading.Event())
        return state, state.action_text(thought.action)

    def _to_move(self, colour: int) -> State:
        state = self._state.copy()
        try:
            if not state.is_terminal and state.player != colour:
                state.apply(state.parse_action("pass"))
        except GameError as error:
            raise Refusal("it is the other colour's turn") from error
        if state.is_terminal:
            raise Refusal("illegal move")  # the game is over
        return state

    def _undo(self, _: list[str]) -> str:
        if len(self._states) < 2:
            raise Refusal("cannot undo")
        self._states.pop()
        return ""

    def _loadsgf(self, words: list[str]) -> str:
        """Set up the first game of a file, or the position before its move of a number."""
        definition, parameters = self._player.game.definition, self._player.game.parameters
        try:
            state = read_games(Path(_word(words, 0)), definition, **parameters)[0].state
        except NotationError as error:
            raise Refusal(f"cannot load file: {error}") from error
        before = int(_number(words, 1)) - 1 if len(words) > 1 else state.num_moves
        if state.game.parameters.get("size") != parameters.get("size"):
            raise Refusal("unacceptable size")
        if "komi" in parameters:
            self._komi([str(state.game.parameters["komi"])])
        actions = state.actions[: max(0, before)]
        self._states = [self._player.game.state_from_moves(actions[:length]) for length in range(len(actions) + 1)]
        return ""

    def _time_settings(self, words: list[str]) -> str:
        main, byo_yomi, stones = (_number(words, place) for place in range(3))
        # No stones in a byo-yomi that takes time: no clock.
        self._settings = None if byo_yomi > 0 and stones <= 0 else (main, byo_yomi, int(stones))
        self._left = {}
        return ""

    def _time_left(self, words: list[str]) -> str:
        self._left[_colour(words)] = _number(words, 1), int(_number(words, 2))
        return ""

    def _seconds(self, colour: int) -> float | None:
        if colour in self._left:
            return share_of_clock(self._left[colour][0], moves_to_go=self._left[colour][1])
        if self._settings is None:
            return None
        main, byo_yomi, stones = self._settings
        return share_of_clock(main) if main > 0 else share_of_clock(byo_yomi, moves_to_go=stones)


def _word(words: list[str], place: int) -> str:
    if place >= len(words):
        raise Refusal("syntax error")
    return words[place]


def _number(words: list[str], place: int) -> float:
    try:
        number = float(_word(words, place))
    except ValueError as error:
        raise Refusal("syntax error") from error
    if not abs(number) < 1e9:
        raise Refusal("syntax error")
    return number


def _colour(words: list[str]) -> int:
    colour = _COLOURS.get(_word(words, 0).lower())
    if colour is None:
        raise Refusal("syntax error")
    return colour
