"""The table of results: all matches of runs' checkpoints, as their `evaluations` folders hold them.

A player is named as an opponent is: `mcts:1000`, or `RUN@STEP:SIMULATIONS` for a checkpoint, without the last part
where it searched as in self-play. A checkpoint with other searches is another player.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlplat.errors import RunError
from rlplat.evaluation.ratings import Tally
from rlplat.evaluation.trained import CheckpointName

CHECKPOINT = "checkpoint:"
"""Begins the name of an opponent that is a checkpoint."""

_COUNTS = ("wins", "draws", "losses", "distinct_games", "opening_plies", "seed")
"""What a match keeps of its row, in order."""


@dataclass(frozen=True)
class Match:
    """One match, from the view of `player`."""

    player: str
    opponent: str
    wins: int
    draws: int
    losses: int
    distinct_games: int
    """Games that differ from one another."""
    opening_plies: int
    seed: int
    """Of the openings."""

    @property
    def num_games(self) -> int:
        return self.wins + self.draws + self.losses

    @property
    def tally(self) -> Tally:
        """What the match counts for: as many games as differ."""
        news = self.distinct_games / self.num_games
        return Tally(self.player, self.opponent, news * self.wins, news * self.draws, news * self.losses)


def read_matches(runs: Mapping[str, Path]) -> list[Match]:
    """Read the matches of runs, given as label -> folder; checkpoints are named by the labels.

    Two matches of the same pair with the same seed and length of openings begin from the same openings and hold largely
    the same games, as when an evaluation is made again: the longest of them counts alone. Opponents that are now one
    checkpoint and now another (`best`, `latest`) are no players and left out.

    Raises RunError for a file that cannot be read.
    """
    labels = {path.resolve(): label for label, path in runs.items()}
    found: dict[tuple[Any, ...], Match] = {}
    for label, path in runs.items():
        for match in _matches(path / "evaluations", label, labels):
            key = (*sorted((match.player, match.opponent)), match.opening_plies, match.seed)
            if key not in found or match.num_games > found[key].num_games:
                found[key] = match
    return list(found.values())


def player_of(opponent: str, label: str, labels: Mapping[Path, str]) -> str | None:
    """The player that the run of that label calls by an opponent's name; None if it is not always the same one.

    `labels` are those of runs by their folder.
    """
    if not opponent.startswith(CHECKPOINT):
        return opponent
    found = CheckpointName.parse(opponent.removeprefix(CHECKPOINT))
    if found is None or not found.checkpoint.isdecimal():
        return None
    run = labels.get(Path(found.run).resolve(), found.run) if found.run else label
    return str(CheckpointName(run, str(int(found.checkpoint)), found.num_simulations))


def _matches(folder: Path, label: str, labels: Mapping[Path, str]) -> Iterator[Match]:
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            for row in (*content.get("evaluations", ()), *content.get("matches", ())):
                opponent = player_of(row["opponent"], label, labels)
                if opponent is not None and row["step"] is not None:
                    player = str(CheckpointName(label, str(row["step"]), row["num_simulations"]))
                    yield Match(player, opponent, *(int(row[name]) for name in _COUNTS))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RunError(f"{path} cannot be read: {error!r}; remove it") from error
