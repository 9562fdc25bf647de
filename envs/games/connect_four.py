"""Connect Four on boards up to 8x8; parameters rows, columns, line. Moves are columns from 1: "4453"."""

from pathlib import Path

from rlplat.search.game import GameDefinition

connect_four = GameDefinition(
    "connect_four",
    header=Path(__file__).with_name("connect_four.hpp"),
    positions=Path(__file__).parent / "positions" / "connect_four.txt",
)
