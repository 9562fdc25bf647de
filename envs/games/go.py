"""Go on boards up to 19x19; parameters size, komi, history, max_length. Moves are GTP's vertices: "D4 E5 pass"."""

from pathlib import Path

from rlplat.notation.sgf import SgfForm
from rlplat.search.game import GameDefinition

go = GameDefinition(
    "go",
    header=Path(__file__).with_name("go.hpp"),
    record=SgfForm(
        number=1, points="letters", size=19, parameters={"SZ": "size", "KM": "komi"}, moves={"": "pass", "tt": "pass"}
    ),
    protocol="gtp",
)
