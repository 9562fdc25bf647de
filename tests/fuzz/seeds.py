"""Writes what the fuzzers begin with: the playthroughs of all games, positions of chess, and moves as text.

`python tests/fuzz/seeds.py FOLDER` makes `FOLDER/<game>/<number>`, in the form that fuzz_rules.cpp reads.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from rlplat import _core
from rlplat.registry import names, resolve
from rlplat.search.game import GameDefinition

PLAYTHROUGHS = Path(__file__).parents[1] / "envs" / "playthroughs"
TEXTS = {
    "chess": [
        "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
        "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
        "rnbqkb1r/ppp2ppp/3p1n2/3Pp3/8/8/PPP1PPPP/RNBQKBNR w KQkq e6 0 4",
        "r2q1rk1/pP1p2pp/Q4n2/bbp1p3/Np6/1B3NBn/pPPP1PPP/R3K2R b KQ - 99 140",
        "R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1",  # the most legal moves
        "Q6Q/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBQQ1KB1 w - - 0 1",  # more than there can be
        "Nbxd7+",
        "e7e8q",
        "O-O-O#",
    ],
    "go": ["D4", "q16", "pass", "J9"],
}
"""Positions and moves as others write them, by game."""


def parameter_bytes(definition: GameDefinition, values: dict[str, float]) -> bytes:
    """One byte for each parameter; see `value_of` in fuzz_rules.cpp."""
    specifications: Any = _core.describe_library(str(definition.libraries()[0]))["parameters"]

    def byte(name: str, default: float, low: float, high: float, whole: bool) -> int:
        value = values.get(name, default)
        if value == default:
            return 0
        return int(value - low) % 255 + 1 if whole else round(254 * (value - low) / (high - low)) + 1

    keys = ("name", "default", "minimum", "maximum", "is_integer")
    return bytes(byte(*(specification[key] for key in keys)) for specification in specifications)


def seeds(name: str) -> list[bytes]:
    definition = resolve(name, kind="game")
    assert isinstance(definition, GameDefinition)
    lines = (PLAYTHROUGHS / f"{name}.txt").read_text("utf-8").splitlines()
    parameters = parameter_bytes(definition, ast.literal_eval(lines[0].split(" ", 2)[2]))
    legal = [line.split()[1:] for line in lines if line.startswith("legal ")]
    played = [line.split()[1] for line in lines if line.startswith("plays ")]
    moves = bytes(names.index(move) for names, move in zip(legal, played, strict=True))
    texts = [text.encode() for text in TEXTS.get(name, [])]
    return [parameters + bytes([0]) + moves, *(parameters + bytes([len(t)]) + t + moves[:8] for t in texts)]


def main(folder: Path) -> None:
    for name in names("game"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds(name)):
            (folder / name / str(number)).write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
