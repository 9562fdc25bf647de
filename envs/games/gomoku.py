"""Gomoku on boards of 5x5 to 19x19; parameters size, exact. Moves are cells, a1 at the lower left: "h8 h9 i8"."""

from pathlib import Path

from rlplat.notation.sgf import SgfForm
from rlplat.search.game import GameDefinition

gomoku = GameDefinition(
    "gomoku", header=Path(__file__).with_name("gomoku.hpp"), record=SgfForm(number=4, points="letters", size=15)
)
