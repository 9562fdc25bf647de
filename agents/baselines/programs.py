"""Which programs may be opponents, where they are, and how their strength is limited.

A configuration may come from a stranger, so it can name programs only: those below, and those that the user's settings
give a command line. What limits them is a number each.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlplat import settings
from rlplat.errors import ProgramError, RegistryError
from rlplat.problems import suggestion

GAMES_FOLDERS = ("/usr/games", "/usr/local/games")
"""Where Debian puts games, on the search path or not."""


@dataclass(frozen=True)
class Program:
    """A program that is known here."""

    protocol: str
    command: tuple[str, ...]
    package: str
    """Of Debian and Ubuntu."""


KNOWN = {
    # Rules as those of this Go: area scoring, positional superko, and stones that are dead are captured before passing.
    "gnugo": Program(
        "gtp",
        (
            *("gnugo", "--mode", "gtp", "--chinese-rules", "--positional-superko"),
            *("--play-out-aftermath", "--capture-all-dead", "--never-resign"),
        ),
        package="gnugo",
    ),
    "stockfish": Program("uci", ("stockfish",), package="stockfish"),
}


@dataclass(frozen=True)
class Limit:
    """A number that limits a program."""

    least: float
    most: float
    is_whole: bool = True


WAIT = {"wait_s": Limit(0.1, 86_400, is_whole=False)}
"""Seconds that an answer may take before the program counts as hung."""


def command_of(protocol: str, name: str, opponent: str) -> list[str]:
    """The command line of a program by its name, with the path of the program.

    Raises RegistryError for a name that is not known, and ProgramError, with the package to install, for a program that
    is not there.
    """
    own = settings.programs()
    known = {**{name: list(program.command) for name, program in KNOWN.items() if program.protocol == protocol}, **own}
    if name not in known:
        raise RegistryError(
            f"opponent '{opponent}': no program is named {name!r}{suggestion(name, known)}; one of your own gets its "
            f"command line by a line `programs: {{{name or 'NAME'}: COMMAND}}` in {settings.path()}"
        )
    command = known[name]
    found = shutil.which(command[0], path=os.pathsep.join([os.environ.get("PATH", os.defpath), *GAMES_FOLDERS]))
    if found is None:
        package = None if name in own else KNOWN[name].package
        mend = f"mend {settings.path()}" if package is None else f"Debian, Ubuntu: apt-get install {package}"
        raise ProgramError(f"opponent '{opponent}': there is no program {command[0]} on this machine; {mend}")
    return [str(Path(found)), *command[1:]]


def read_limits(words: Sequence[str], known: Mapping[str, Limit], opponent: str) -> dict[str, float]:
    """Read `nodes=1000`, `time_s=0.5`, ...; RegistryError for what is none of the known limits, or out of range."""
    limits: dict[str, float] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in known:
            raise RegistryError(f"opponent '{opponent}': {name!r} is no limit{suggestion(name, known)}")
        limit = known[name]
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not limit.least <= value <= limit.most or (limit.is_whole and value != int(value)):
            kind = "a whole number" if limit.is_whole else "a number"
            raise RegistryError(
                f"opponent '{opponent}': {name} is {text!r}; it must be {kind} from {limit.least:g} to {limit.most:g}"
            )
        limits[name] = value
    return limits
