"""Makes positions to judge agents by: drawn at random, and solved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rlplat.errors import GameError
from rlplat.evaluation.positions import ScoredPosition, sensible_actions, write_positions
from rlplat.reports import Result
from rlplat.search.game import Game, State

FRUITLESS_ATTEMPTS = 5000
"""Games in a row that bring no new position of the kind still wanted before the search for more is given up."""


def make_positions(game: Game, path: Path, *, first: int, last: int, count: int, seed: int) -> list[Result]:
    """Draw positions, showing how far it is, and write them to a file; raises what `draw_positions` does."""
    from rich.console import Console
    from rich.progress import track

    if not path.absolute().parent.is_dir():
        raise GameError(f"-o {path}: there is no folder {path.absolute().parent}; make it, or name another file")
    start = time.perf_counter()
    drawn = draw_positions(game, first=first, last=last, count=count, seed=seed)
    found = list(track(drawn, "solving", total=count, console=Console(stderr=True), transient=True))
    write_positions(path, game, found)
    signs = [int(np.sign(position.score)) for position in found]
    return [
        Result(
            "positions.written",
            len(found),
            "positions",
            hard=sum(position.is_hard() for position in found),
            won=signs.count(1),
            drawn=signs.count(0),
            lost=signs.count(-1),
            plies=[first, last],
            seed=seed,
            seconds=time.perf_counter() - start,
            path=str(path),
        )
    ]


def draw_positions(game: Game, *, first: int, last: int, count: int, seed: int) -> Iterator[ScoredPosition]:
    """Yield `count` distinct positions of `first` to `last` plies with their exact scores, half of them hard choices.

    Each is reached by a game in which a share of the moves, drawn for that game, is random and the rest sensible (see
    `sensible_actions`): from blunders to careful play. Equal seeds give equal positions. Raises GameError for a game
    without exact scores, a range that the game does not have, and one that holds too few such positions.
    """
    game.check_exact_score()
    if not 0 <= first <= last < game.max_length:
        raise GameError(
            f"positions of {first} to {last} plies were asked for; {game.name} has 0 to {game.max_length - 1}"
        )
    rng = np.random.default_rng(seed)
    wanted = {True: (count + 1) // 2, False: count // 2}
    seen: set[int] = set()
    fruitless = 0
    while any(wanted.values()):
        fruitless += 1
        if fruitless > FRUITLESS_ATTEMPTS:
            lacking = " and ".join(
                f"{number} {'hard' if hard else 'easy'}" for hard, number in wanted.items() if number
            )
            raise GameError(
                f"{game.name}: {lacking} positions of {first} to {last} plies are still lacking and none were found in "
                f"{FRUITLESS_ATTEMPTS} games; ask for fewer, or for a wider range of plies"
            )
        state = _play(game, int(rng.integers(first, last + 1)), rng)
        if state is None or state.evaluation_key in seen:
            continue
        if not wanted[False] and len(sensible_actions(state)) < 2:
            continue  # easy without solving it
        seen.add(state.evaluation_key)
        position = ScoredPosition(state, state.action_scores())
        hard = position.is_hard()
        if wanted[hard]:
            wanted[hard] -= 1
            fruitless = 0
            yield position


def _play(game: Game, plies: int, rng: np.random.Generator) -> State | None:
    """One game, so many plies long; None if it ends before."""
    state = game.initial_state()
    random_share = rng.random()
    for _ in range(plies):
        if state.is_terminal:
            return None
        actions = state.position.legal_actions() if rng.random() < random_share else sensible_actions(state)
        state.position.apply(int(rng.choice(actions)))
    return None if state.is_terminal else state
