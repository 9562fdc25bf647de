"""Speed of the rules of games: `rlplat bench rules`."""

from __future__ import annotations

import itertools

from envs.games.chess import chess
from envs.games.go import go
from rlplat.bench import alternate, repeat
from rlplat.reports import Result

KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"
"""A position of the chess programming wiki with all kinds of moves."""
GAMES_PER_CALL = 100


def rules(*, seconds: float = 1.0, rounds: int = 7, plies: int = 4) -> list[Result]:
    """`rules.chess.perft` and `rules.go_9.playouts`, on one thread.

    Lines of `plies` plies from the start of chess and from "Kiwipete" in turn, every move of them made, the last one
    too; and random games of Go on 9x9 from the empty board to two passes in a row, in which nobody fills an eye of
    their own.
    """
    positions = itertools.cycle([chess.load().initial_state(), chess.load().state_from_text(KIWIPETE)])
    empty, seeds = go.load(size=9).initial_state(), itertools.count()

    def playouts() -> int:
        for _ in range(GAMES_PER_CALL):
            empty.position.rollout(next(seeds))
        return GAMES_PER_CALL

    found = alternate(
        {"perft": repeat(lambda: next(positions).count_lines(plies, one_by_one=True)), "playouts": repeat(playouts)},
        seconds=seconds,
        rounds=rounds,
    )
    return [
        found["perft"].result("rules.chess.perft", "nodes/s", threads=1, plies=plies),
        found["playouts"].result("rules.go_9.playouts", "games/s", threads=1),
    ]
