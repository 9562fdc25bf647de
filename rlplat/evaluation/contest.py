"""Matches between the checkpoints and baselines of runs that have met too seldom."""

from __future__ import annotations

import itertools
import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rlplat.config import RunConfig, load_config
from rlplat.errors import CheckpointError, RunError
from rlplat.evaluation.evaluate import play_opponent, save_rows
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.results import CHECKPOINT, Match, player_of, read_matches
from rlplat.evaluation.trained import CheckpointName, Trained, load_trained
from rlplat.interfaces import Policy
from rlplat.runs.checkpoint import CheckpointStore
from rlplat.runs.folder import RunFolder

if TYPE_CHECKING:
    from rlplat.search.game import Game

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledRun:
    """A run under the name by which its checkpoints are called among those of other runs."""

    label: str
    folder: RunFolder
    config: RunConfig

    @property
    def rules(self) -> str:
        """The game and its parameters, in words."""
        parameters = self.folder.info.get("env_parameters", self.config.env.parameters)
        described = ", ".join(f"{name}={value:g}" for name, value in sorted(parameters.items()))
        return self.config.env.id + (f" with {described}" if described else "")


def open_runs(paths: Sequence[Path], trust: Sequence[str] = ()) -> list[LabelledRun]:
    """Open runs of one game, labelled by the names of their folders; RunError if they are of different games."""
    runs: list[LabelledRun] = []
    names = [path.resolve().name for path in paths]
    for path, name in zip(paths, names, strict=True):
        folder = RunFolder.open(path)
        label = name if names.count(name) == 1 else str(path)
        runs.append(LabelledRun(label, folder, load_config(folder.config_path, trust=trust)))
        if not runs[-1].config.env.is_game:
            raise RunError(f"{path} learns {runs[-1].config.env.id}, a task; only runs of a game can be rated")
        if runs[-1].rules != runs[0].rules:
            games = [f"{run.folder.path} plays {run.rules}" for run in (runs[0], runs[-1])]
            raise RunError(f"{', '.join(games)}; only runs of one game can be rated together")
    return runs


def matches_of(runs: Sequence[LabelledRun]) -> list[Match]:
    """All matches on record in the folders of the runs."""
    return read_matches({run.label: run.folder.path for run in runs})


class _Contestant(Protocol):
    @property
    def player(self) -> str:
        """Its name in the table of results."""
        ...

    def name_for(self, run: LabelledRun) -> str:
        """What a run calls it as an opponent."""
        ...

    def make_policy(self, seed: int) -> Policy: ...


@dataclass(frozen=True)
class _Baseline:
    name: str
    player: str
    game: Game
    trust: Sequence[str]

    def name_for(self, run: LabelledRun) -> str:
        return self.name

    def make_policy(self, seed: int) -> Policy:
        return parse_opponent(self.name, trust=self.trust).make_policy(
            self.game, zlib.crc32(f"{seed} {self.name}".encode())
        )


@dataclass(frozen=True)
class _Checkpoint:
    run: LabelledRun
    trained: Trained
    num_simulations: int | None

    @property
    def player(self) -> str:
        return str(CheckpointName(self.run.label, str(self.trained.step), self.num_simulations))

    def name_for(self, run: LabelledRun) -> str:
        folder = "" if run is self.run else str(self.run.folder.path.resolve())
        return f"{CHECKPOINT}{CheckpointName(folder, str(self.trained.step), self.num_simulations)}"

    def make_policy(self, seed: int) -> Policy:
        return self.trained.make_policy(num_simulations=self.num_simulations, seed=seed)


def play_missing(
    runs: Sequence[LabelledRun],
    num_games: int,
    *,
    num_simulations: int | None = None,
    trust: Sequence[str] = (),
    told: Callable[[str], None] = lambda _: None,
) -> None:
    """Let every two checkpoints on disk, and each of them and the opponents of its run, play the games that they lack
    to `num_games`, rounded up to pairs. Each match is kept at once in the folder of its run.

    `num_simulations` is what checkpoints search with a move; None: as in their run's evaluations. `told` hears of each
    match before it begins.
    """
    matches = matches_of(runs)
    checkpoints = [each for run in runs for each in _checkpoints(run, num_simulations, trust)]
    pairs: list[tuple[_Checkpoint, _Contestant]] = [(later, it) for it, later in itertools.combinations(checkpoints, 2)]
    pairs += [(each, baseline) for each in checkpoints for baseline in _baselines(each, trust)]
    for number, (checkpoint, opponent) in enumerate(pairs, 1):
        both = {checkpoint.player, opponent.player}
        met = [match for match in matches if {match.player, match.opponent} == both]
        missing = num_games - sum(match.num_games for match in met)
        if missing > 0:
            missing += missing % 2
            told(f"match {number} of {len(pairs)}: {checkpoint.player} against {opponent.player}, {missing} games")
            # One more than the highest seed so far: openings of which none was played for the sake of this pair.
            _play(checkpoint, opponent, missing, 1 + max((match.seed for match in met), default=0))


def _play(checkpoint: _Checkpoint, opponent: _Contestant, num_games: int, seed: int) -> None:
    run, trained = checkpoint.run, checkpoint.trained
    row = play_opponent(
        trained.game,
        checkpoint.make_policy(seed),
        opponent.name_for(run),
        opponent.make_policy(seed),
        num_games=num_games,
        opening_plies=run.config.evaluation.opening_plies,
        seed=seed,
        step=trained.step,
        num_simulations=checkpoint.num_simulations,
    )
    save_rows(run.folder.evaluations_path, trained.step, {"matches": [row]})


def _checkpoints(run: LabelledRun, num_simulations: int | None, trust: Sequence[str]) -> list[_Checkpoint]:
    """The sound checkpoints on disk; one that a run in training prunes meanwhile is passed over."""
    simulations = run.config.evaluation.num_simulations if num_simulations is None else num_simulations
    found = []
    for step in CheckpointStore(run.folder.checkpoints_path, keep=1).steps():
        try:
            found.append(_Checkpoint(run, load_trained(run.folder.path, str(step), trust=trust), simulations))
        except CheckpointError as error:
            _log.warning("checkpoint %d does not play: %s", step, error)
    return found


def _baselines(checkpoint: _Checkpoint, trust: Sequence[str]) -> list[_Baseline]:
    game, run = checkpoint.trained.game, checkpoint.run
    named = [(name, player_of(name, run.label, {})) for name in run.config.evaluation.against]
    return [_Baseline(name, player, game, trust) for name, player in named if player is not None]
