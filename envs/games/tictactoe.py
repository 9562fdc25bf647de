"""Tic-tac-toe. Moves are cells 1 to 9, row by row: "519"."""

from pathlib import Path

from rlplat.search.game import GameDefinition

tictactoe = GameDefinition("tictactoe", header=Path(__file__).with_name("tictactoe.hpp"))
