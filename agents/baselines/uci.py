"""Programs of the Universal Chess Interface: `uci:stockfish:nodes=1000`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.baselines.conversation import Conversation
from agents.baselines.program_policy import ProgramPolicy
from agents.baselines.programs import WAIT, Limit, command_of, read_limits
from rlplat.errors import ProgramError, RegistryError

if TYPE_CHECKING:
    from rlplat.search.game import Game, State

DEFAULT_WAIT_S = 60.0

LIMITS = {
    "nodes": Limit(1, 1e12),
    "depth": Limit(1, 200),
    "time_s": Limit(0.001, 3600, is_whole=False),
}
STRENGTHS = {"skill": Limit(0, 20), "elo": Limit(0, 4000)}

_RANGE = re.compile(r"spin\b.*\bmin (-?\d+)\b.*\bmax (-?\d+)\b")


class UciDialect:
    """What is said to a program of UCI. A move is asked for with an empty hash table, so that equal positions get
    equal moves as far as the program plays so.
    """

    def __init__(self, name: str, limits: Mapping[str, float]) -> None:
        self._name = name
        self._options = {"Threads": "1"}
        if "skill" in limits:
            self._options["Skill Level"] = f"{limits['skill']:.0f}"
        if "elo" in limits:
            self._options |= {"UCI_LimitStrength": "true", "UCI_Elo": f"{limits['elo']:.0f}"}
        if "time_s" in limits:
            self._go = f"go movetime {max(1, round(1000 * limits['time_s']))}"
        else:
            self._go = "go " + " ".join(f"{name} {limits[name]:.0f}" for name in ("nodes", "depth") if name in limits)

    def greet(self, program: Conversation, until_s: float) -> None:
        """Begin, and set the options."""
        program.say("uci")
        offered: dict[str, str] = {}
        while (line := program.hear(until_s)) != "uciok":
            if line.startswith("option name "):
                option, _, kind = line.removeprefix("option name ").partition(" type ")
                offered[option] = kind
        for option, value in self._options.items():
            if option in offered:
                self._check_range(option, value, offered[option])
                program.say(f"setoption name {option} value {value}")
            elif option != "Threads":  # who has no such option has one thread
                raise ProgramError(f"{self._name}: the program has no option {option!r}; leave out skill and elo")
        self._await_ready(program, until_s)

    def _check_range(self, option: str, value: str, kind: str) -> None:
        """ProgramError for a number that the program would read over, to play at another strength than is wanted."""
        found = _RANGE.match(kind)
        if found is not None and not int(found[1]) <= int(value) <= int(found[2]):
            raise ProgramError(f"{self._name}: the program takes {option} from {found[1]} to {found[2]}, not {value}")

    def choose(self, program: Conversation, state: State, until_s: float) -> str:
        """The best move."""
        program.say("ucinewgame")
        self._await_ready(program, until_s)
        program.say(position_command(state))
        program.say(self._go)
        while not (line := program.hear(until_s)).startswith("bestmove"):
            pass  # remarks on the search
        return " ".join(line.split()[1:2])

    def _await_ready(self, program: Conversation, until_s: float) -> None:
        program.say("isready")
        while program.hear(until_s) != "readyok":
            pass


def position_command(state: State) -> str:
    """How UCI names a position: where the game began, and its moves."""
    replay = state.start()
    if replay.hash == state.game.initial_state().hash:
        start = "startpos"
    else:
        assert state.game.definition.position_line is not None
        start = f"fen {state.game.definition.position_line(replay)}"
    moves = []
    for action in state.actions:
        moves.append(replay.action_text(action, "uci"))
        replay.position.apply(action)
    return f"position {start}" + (f" moves {' '.join(moves)}" if moves else "")


class UciBaseline:
    """Makes the policies named `uci:PROGRAM:LIMIT`."""

    usage = (
        "uci:PROGRAM:LIMIT...: a chess program, limited by nodes=N, depth=N or time_s=X a move, and by skill=N or "
        "elo=N where it has such options (uci:stockfish:nodes=1000)"
    )

    def __call__(self, argument: str | None, game: Game, seed: int) -> ProgramPolicy:
        """Start the program; RegistryError or ProgramError for a name or limit that is none, or a missing program."""
        opponent = f"uci:{argument or ''}"
        program, *words = (argument or "").split(":")
        limits = read_limits(words, LIMITS | STRENGTHS | WAIT, opponent)
        if not any(name in limits for name in LIMITS):
            raise RegistryError(f"opponent '{opponent}': name a program and its limit, as in uci:stockfish:nodes=1000")
        if game.definition.protocol != "uci":
            raise RegistryError(
                f"opponent '{opponent}': {game.name} is no game of UCI; its GameDefinition would say so"
            )
        wait_s = limits.get("wait_s", DEFAULT_WAIT_S + limits.get("time_s", 0.0))
        return ProgramPolicy(opponent, command_of("uci", program, opponent), UciDialect(opponent, limits), wait_s)


BASELINE = UciBaseline()
