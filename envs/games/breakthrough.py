"""Breakthrough on boards of up to 8x8; parameters rows, columns. Moves name both cells: "b2c3 d7d6 c3xd4"."""

from pathlib import Path

from rlplat.search.game import GameDefinition

breakthrough = GameDefinition("breakthrough", header=Path(__file__).with_name("breakthrough.hpp"))
