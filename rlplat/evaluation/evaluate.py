"""Strength of a policy, or of a run's checkpoint, against baselines."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlplat.environments.task import Task
from rlplat.errors import RunError
from rlplat.evaluation.arena import MatchResult, play_match
from rlplat.evaluation.episodes import Returns
from rlplat.evaluation.evaluate_task import TaskEvaluation, evaluate_task, metrics_of
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.statistics import MatchScore
from rlplat.evaluation.trained import load_trained
from rlplat.evaluation.videos import check_encoder, save_videos
from rlplat.interfaces import Policy
from rlplat.notation.files import form_of, write_games
from rlplat.notation.record import GameRecord
from rlplat.runs import events
from rlplat.runs.durable import write_json

if TYPE_CHECKING:
    from rlplat.runs.folder import RunFolder
    from rlplat.search.game import Game


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """Result of a match against one opponent, from the view of the policy that was evaluated."""

    opponent: str
    num_games: int
    wins: int
    draws: int
    losses: int
    score: float
    """Mean points of a game: win 1, draw 1/2, loss 0."""
    score_low: float
    """Ends of the 95 % interval, with pairs of games as the unit (see `rlplat.evaluation.statistics`)."""
    score_high: float
    elo: float
    """Elo difference to the opponent; infinite (null in files) when every game was won or lost."""
    elo_low: float
    elo_high: float
    first: tuple[int, int, int]
    """Wins, draws and losses of the games in which the policy moved first."""
    second: tuple[int, int, int]
    """The same of the games in which the opponent moved first."""
    mean_length: float
    """Plies of a game, the opening included."""
    distinct_games: int
    """Games that differ from one another."""
    opening_plies: int
    seed: int
    seconds: float
    """Wall-clock duration of the match."""
    step: int | None = None
    """Updates of the learner at the checkpoint; None for a policy that comes from none."""
    num_simulations: int | None = None
    """Simulations a move of the policy; 0: its network alone; None: as the policy was made."""


def evaluate_policy(
    game: Game,
    policy: Policy,
    against: Sequence[str],
    *,
    num_games: int,
    opening_plies: int,
    seed: int,
    trust: Sequence[str] = (),
    step: int | None = None,
    num_simulations: int | None = None,
    told: Callable[[str, MatchResult], None] | None = None,
) -> list[Evaluation]:
    """Play a match against each opponent from the same openings; `step` and `num_simulations` are noted in the result.

    `told` hears of each match with the opponent's name, as soon as it is over. Openings are as long as an opponent asks
    for by an attribute `opening_plies`, if that is longer. Every opponent is made before the first game, so a wrong
    name costs no time.
    """
    opponents = {
        name: parse_opponent(name, trust=trust).make_policy(game, zlib.crc32(f"{seed} {name}".encode()))
        for name in against
    }
    return [
        play_opponent(
            game,
            policy,
            name,
            opponent,
            num_games=num_games,
            opening_plies=opening_plies,
            seed=seed,
            step=step,
            num_simulations=num_simulations,
            told=told,
        )
        for name, opponent in opponents.items()
    ]


def play_opponent(
    game: Game,
    policy: Policy,
    name: str,
    opponent: Policy,
    *,
    num_games: int,
    opening_plies: int,
    seed: int,
    step: int | None = None,
    num_simulations: int | None = None,
    told: Callable[[str, MatchResult], None] | None = None,
) -> Evaluation:
    """Play a match against one opponent of that name; see `evaluate_policy`."""
    plies = max(opening_plies, getattr(opponent, "opening_plies", 0))
    start = time.perf_counter()
    match = play_match(game, policy, opponent, num_games=num_games, opening_plies=plies, seed=seed)
    seconds = time.perf_counter() - start
    if told is not None:
        told(name, match)
    return _evaluation(name, match, plies, seed, seconds, step, num_simulations)


def _evaluation(
    name: str,
    match: MatchResult,
    opening_plies: int,
    seed: int,
    seconds: float,
    step: int | None,
    num_simulations: int | None,
) -> Evaluation:
    score, (first, second) = match.score, match.score_by_side
    (score_low, score_high), (elo_low, elo_high) = score.interval, score.elo_interval

    def counts(side: MatchScore) -> tuple[int, int, int]:
        return side.wins, side.draws, side.losses

    return Evaluation(
        opponent=name,
        num_games=score.num_games,
        wins=score.wins,
        draws=score.draws,
        losses=score.losses,
        score=score.score,
        score_low=score_low,
        score_high=score_high,
        elo=score.elo,
        elo_low=elo_low,
        elo_high=elo_high,
        first=counts(first),
        second=counts(second),
        mean_length=match.mean_length,
        distinct_games=match.distinct_games,
        opening_plies=opening_plies,
        seed=seed,
        seconds=seconds,
        step=step,
        num_simulations=num_simulations,
    )


def evaluate_run(
    run_path: Path,
    *,
    checkpoint: str = "latest",
    against: Sequence[str],
    num_games: int,
    num_simulations: int | None,
    seed: int,
    num_episodes: int | None = None,
    num_videos: int = 0,
    record: Path | None = None,
    trust: Sequence[str] = (),
) -> Sequence[Evaluation | Returns]:
    """Evaluate a checkpoint of a run (latest, best or a step) and add the result to the run's `evaluations` folder.

    Of a game: `num_games` against each opponent. `num_simulations` is per move of the agent; 0: its network alone;
    None: as in self-play. Openings are as long as the run's configuration says, or as an opponent asks for. `record` is
    a file for the games, in the form in which the game is written down (see `rlplat.notation`). Of a task:
    `num_episodes` (None: as many as at the end of the run) of the agent and of each baseline, also in each of the
    configuration's splits, and `num_videos` of the agent's successes and as many of its failures in each.

    May be called while the run is being trained. RunError if episodes or videos are asked for of a game, or a record of
    a task.
    """
    trained = load_trained(run_path, checkpoint, trust=trust)
    settings, policy = trained.config.evaluation, trained.make_policy(num_simulations=num_simulations, seed=seed)
    if isinstance(trained.env, Task):
        if record is not None:
            raise RunError(f"{run_path} learns {trained.env.name}, a task: only games are written to a file")
        if num_videos:
            check_encoder()
        found = evaluate_task(
            trained.env,
            policy,
            against,
            num_episodes=num_episodes or max(1, settings.final_num_episodes),
            seed=seed,
            splits=settings.splits,
            num_videos=num_videos,
            trust=trust,
            step=trained.step,
        )
        keep_task_evaluation(trained.run, trained.step, found)
        return found.episodes
    if num_episodes is not None or num_videos:
        raise RunError(f"{run_path} plays {trained.env.name}, a game: ask for --games N, not for episodes or videos")
    player = f"{trained.run.path.absolute().name}@{trained.step}"
    records: list[GameRecord] = []
    if record is not None:
        form_of(trained.game.definition)  # before anything is played
    evaluations = evaluate_policy(
        trained.env,
        policy,
        against,
        num_games=num_games,
        opening_plies=settings.opening_plies,
        seed=seed,
        trust=trust,
        step=trained.step,
        num_simulations=num_simulations,
        told=lambda opponent, match: records.extend(_records(trained.game, player, opponent, match)),
    )
    if record is not None:
        write_games(record, records)
    save_rows(trained.run.evaluations_path, trained.step, {"evaluations": evaluations})
    return evaluations


def keep_task_evaluation(run: RunFolder, step: int, found: TaskEvaluation) -> None:
    """Write rows and videos into a run's folders, and show both in TensorBoard, below the run's name.

    What the disk refuses costs a warning. The run may be in training: it has event files of its own.
    """
    save_rows(run.evaluations_path, step, {"episodes": found.episodes})
    for path in save_videos(run.videos_path, step, found.videos):
        _log.info("wrote %s", path)
    shown = events.EventFile(run.evaluations_path, [])
    try:
        shown.add(events.scalars(step, metrics_of(found.episodes)))
        for video in found.videos:
            shown.add(events.video(step, f"videos/{video.name}", video.frames, video.frames_per_s))
            if video.curves is not None:
                shown.add(events.image(step, f"curves/{video.name}", video.curves))
    except OSError as error:
        _log.warning("%s: TensorBoard is not shown update %d: %s", run.evaluations_path, step, error.strerror)
    finally:
        shown.close()


def _records(game: Game, player: str, opponent: str, match: MatchResult) -> Iterator[GameRecord]:
    for played in match.games:
        first, second = (player, opponent) if played.player == 0 else (opponent, player)
        outcome = (2 * played.points - 1) * (1 if played.player == 0 else -1)
        yield GameRecord(game.state_from_moves(played.moves), outcome, (first, second), f"{player} against {opponent}")


def save_rows(folder: Path, step: int, rows: Mapping[str, Sequence[Any]]) -> None:
    """Write what was found of the checkpoint at `step` to `<UTC time>-<step>.json` in a folder, all or nothing.

    `rows` are dataclass instances by kind: `evaluations` (matches against the opponents asked for), `matches` (for the
    ratings alone), `positions` (judgements) and `episodes` (of a task). Whoever made them shows them, too: what the
    disk refuses costs a warning.
    """
    now = datetime.now(UTC)
    content: dict[str, Any] = {"created": now.isoformat(timespec="seconds")}
    content |= {kind: [asdict(row) for row in found] for kind, found in rows.items()}
    try:
        folder.mkdir(exist_ok=True)
        write_json(folder / f"{now:%Y%m%dT%H%M%S%fZ}-{step}.json", content)
    except OSError as error:
        _log.warning("%s: the %s of update %d cannot be kept: %s", folder, " and ".join(rows), step, error.strerror)
