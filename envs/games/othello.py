"""Othello on boards of 4x4 to 8x8; parameter size. Moves are cells, a1 at the upper left, or "pass": "d3 c5 d6"."""

from pathlib import Path

from rlplat.notation.sgf import SgfForm
from rlplat.search.game import GameDefinition

othello = GameDefinition(
    "othello",
    header=Path(__file__).with_name("othello.hpp"),
    positions=Path(__file__).parent / "positions" / "othello.txt",
    record=SgfForm(number=2, points="letters", size=8, moves={"": "pass"}),
)
