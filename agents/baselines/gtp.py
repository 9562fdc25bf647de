"""Programs of the Go Text Protocol (version 2): `gtp:gnugo:level=1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.baselines.conversation import Conversation
from agents.baselines.program_policy import ProgramPolicy
from agents.baselines.programs import WAIT, Limit, command_of, read_limits
from rlplat.errors import ProgramError, RegistryError

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

DEFAULT_WAIT_S = 120.0

LIMITS = {"level": Limit(0, 100), "time_s": Limit(1, 3600)}


class GtpDialect:
    """What is said to a program of GTP. Every move is asked for on a board that was set up anew."""

    def __init__(self, name: str, game: Game, limits: Mapping[str, float], seed: int) -> None:
        self._name = name
        self._setup = [f"boardsize {game.parameters['size']:.0f}"] if "size" in game.parameters else []
        self._setup += ["clear_board"]
        self._setup += [f"komi {game.parameters['komi']:g}"] if "komi" in game.parameters else []
        if "time_s" in limits:  # a byo-yomi of one stone
            self._setup.append(f"time_settings 0 {limits['time_s']:.0f} 1")
        self._level = limits.get("level")
        self._seed = seed % 2**31

    def greet(self, program: Conversation, until_s: float) -> None:
        """Begin, and set what is said once."""
        known = set(self._ask(program, "list_commands", until_s).split())
        if "set_random_seed" in known:
            self._ask(program, f"set_random_seed {self._seed}", until_s)
        if self._level is not None:
            if "level" not in known:
                raise ProgramError(f"{self._name}: the program has no command 'level'; leave out level={self._level:g}")
            self._ask(program, f"level {self._level:.0f}", until_s)
        for command in self._setup:
            self._ask(program, command, until_s)

    def choose(self, program: Conversation, state: State, until_s: float) -> str:
        """The program's move; who resigns passes instead, as a match is played to its end."""
        for command in self._setup:
            self._ask(program, command, until_s)
        replay = state.start()
        for action in state.actions:
            self._ask(program, f"play {'bw'[replay.player]} {replay.action_text(action)}", until_s)
            replay.position.apply(action)
        answer = self._ask(program, f"genmove {'bw'[state.player]}", until_s)
        return "pass" if answer.lower() == "resign" else answer

    def _ask(self, program: Conversation, command: str, until_s: float) -> str:
        """Say a command; the text of its answer. ProgramError if the program refuses it or answers nonsense."""
        program.say(command)
        while not (line := program.hear(until_s)).strip():
            pass
        sign, words = line[0], [line[1:].strip()]
        if sign not in "=?":
            raise ProgramError(f"{self._name} answered {line[:80]!r} to '{command}'; GTP's answers begin with = or ?")
        while line := program.hear(until_s).strip():
            words.append(line)
        answer = "\n".join(words)
        if sign == "?":
            raise ProgramError(f"{self._name} refused '{command}': {answer or 'without a reason'}")
        return answer


class GtpBaseline:
    """Makes the policies named `gtp:PROGRAM[:LIMIT]`."""

    usage = (
        "gtp:PROGRAM[:LIMIT...]: a program of the Go Text Protocol, limited by level=N or time_s=N a move as far as it "
        "knows these commands (gtp:gnugo:level=1)"
    )

    def __call__(self, argument: str | None, game: Game, seed: int) -> ProgramPolicy:
        """Start the program; RegistryError or ProgramError for a name or limit that is none, or a missing program."""
        opponent = f"gtp:{argument or ''}"
        program, *words = (argument or "").split(":")
        limits = read_limits(words, LIMITS | WAIT, opponent)
        if not program:
            raise RegistryError(f"opponent '{opponent}': name a program, as in gtp:gnugo:level=1")
        if game.definition.protocol != "gtp":
            raise RegistryError(
                f"opponent '{opponent}': {game.name} is no game of GTP; its GameDefinition would say so"
            )
        wait_s = limits.get("wait_s", DEFAULT_WAIT_S + limits.get("time_s", 0.0))
        dialect = GtpDialect(opponent, game, limits, seed)
        return ProgramPolicy(opponent, command_of("gtp", program, opponent), dialect, wait_s)


BASELINE = GtpBaseline()
