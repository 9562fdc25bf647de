"""Chess; parameters history, max_length. Moves are read as SAN or UCI ("Nf3", "g1f3"), positions as FEN."""

from pathlib import Path

from rlplat.notation.pgn import PgnForm
from rlplat.search.game import GameDefinition, State


def fen(state: State) -> str:
    """The position in Forsyth-Edwards notation; an en passant square is named only where that capture is legal."""
    return str(state).splitlines()[-1]


chess = GameDefinition(
    "chess", header=Path(__file__).with_name("chess.hpp"), record=PgnForm(), position_line=fen, protocol="uci"
)
