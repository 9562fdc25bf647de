"""Ratings of runs' checkpoints, from the matches on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rlplat.config import EvaluationConfig
from rlplat.errors import RunError
from rlplat.evaluation.contest import matches_of, open_runs, play_missing
from rlplat.evaluation.ratings import Rating, Ratings, fit_ratings
from rlplat.evaluation.results import player_of, read_matches
from rlplat.evaluation.trained import CheckpointName
from rlplat.problems import suggestion


def anchor_of(settings: EvaluationConfig) -> str | None:
    """The player that has rating 0: as configured, or the last opponent that stays the same; None if none does."""
    names = [settings.anchor] if settings.anchor else reversed(settings.against)
    return next(filter(None, (player_of(name, "", {}) for name in names)), None)


def rate_checkpoint(run: Path, settings: EvaluationConfig, step: int) -> Rating | None:
    """Rate a run's checkpoint by all matches in the run's folder, those of its other checkpoints included.

    None if no games link it to the anchor. RunError for a file of results that cannot be read.
    """
    anchor, player = anchor_of(settings), str(CheckpointName("", str(step), settings.num_simulations))
    tallies = [match.tally for match in read_matches({"": run})]
    if anchor is None or not any(anchor in (tally.player, tally.opponent) for tally in tallies):
        return None
    return fit_ratings(tallies, anchor, players=[player]).of(player)


def rate_runs(
    paths: Sequence[Path],
    *,
    anchor: str | None = None,
    play: int = 0,
    num_simulations: int | None = None,
    trust: Sequence[str] = (),
    told: Callable[[str], None] = lambda _: None,
) -> Ratings:
    """Rate all players of runs of one game together, after the matches that are missing to `play` games each pair.

    `anchor` has 0; None: that of the first run that met its own. See `play_missing` for the others.

    Raises RunError for runs of different games, without matches, or without a match of the anchor.
    """
    runs = open_runs(paths, trust)
    if play:
        play_missing(runs, play, num_simulations=num_simulations, trust=trust, told=told)
    tallies = [match.tally for match in matches_of(runs)]
    players = {name for tally in tallies for name in (tally.player, tally.opponent)}
    if not players:
        raise RunError(
            f"{', '.join(str(path) for path in paths)}: no matches on record; play some with --play 20, "
            "or with `rlplat evaluate RUN --against random`"
        )
    wished = [anchor] if anchor else [anchor_of(run.config.evaluation) for run in runs]
    found = next((name for name in wished if name in players), None)
    if found is None:
        raise RunError(
            f"no games were played against {' or '.join(filter(None, wished)) or 'an opponent that stays the same'}, "
            f"the anchor; name another player with --anchor{suggestion(anchor or '', players)}"
        )
    return fit_ratings(tallies, found)
