"""What is asked of runs' checkpoints: moves judged by exact scores, matches or episodes, and several runs together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlplat.evaluation import evaluate, judge
from rlplat.evaluation.episodes import Returns
from rlplat.evaluation.evaluate import Evaluation
from rlplat.evaluation.judge import Judgement
from rlplat.evaluation.seeds import AcrossRuns, across_runs

RunStrength = tuple[str, Sequence[Judgement], Sequence[Evaluation | Returns]]
"""Of one run: its folder, and what was found."""


def strength_of_runs(
    runs: Sequence[Path],
    *,
    positions: Path | None,
    against: Sequence[str],
    num_games: int,
    num_episodes: int | None,
    num_videos: int,
    record: Path | None,
    **options: Any,
) -> tuple[list[RunStrength], list[AcrossRuns]]:
    """Judge each run's moves in a file of positions, if one is given, and play what is asked for, if anything is.

    Of several runs of tasks: what they achieved together, too. See `judge_run` and `evaluate_run`, which both take
    `options`.
    """
    found: list[RunStrength] = []
    for run in runs:
        judgements = [] if positions is None else judge.judge_run(run, positions, **options)
        rows: Sequence[Evaluation | Returns] = []
        if against or num_episodes is not None or num_videos:
            rows = evaluate.evaluate_run(
                run,
                against=against,
                num_games=num_games,
                num_episodes=num_episodes,
                num_videos=num_videos,
                record=record,
                **options,
            )
        found.append((str(run), judgements, rows))
    of_tasks: list[Any] = [rows for *_, rows in found if rows and isinstance(rows[0], Returns)]
    return found, across_runs(of_tasks) if len(of_tasks) > 1 else []
