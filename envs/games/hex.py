"""Hex on boards of 3x3 to 19x19; parameters size, swap. Moves are cells, a1 at the upper left: "b4 swap c3"."""

from pathlib import Path

from rlplat.notation.sgf import SgfForm
from rlplat.search.game import GameDefinition

hex = GameDefinition(
    "hex",
    header=Path(__file__).with_name("hex.hpp"),
    positions=Path(__file__).parent / "positions" / "hex.txt",
    record=SgfForm(number=11, points="names", size=11, moves={"swap-pieces": "swap"}),
)
