"""A run whose learner is lost goes on from its newest checkpoint, and becomes the run that lost none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from test_resume import final_files, metrics, records

from rlplat.config import load_config
from rlplat.errors import WorkerError
from rlplat.training.hosts import Report
from rlplat.training.inline import InlinePool
from rlplat.training.pool import Batch, LearnerLostError
from rlplat.training.session import MOST_RECOVERIES, train


def lose(monkeypatch: pytest.MonkeyPatch, when: Callable[[int], bool]) -> list[int]:
    """Lose the learner after turns that end at updates of which `when` is true; returns the list of these updates."""
    advance, lost = InlinePool.advance, []

    def advance_or_lose(pool: InlinePool, batches: Sequence[Batch], max_updates: int) -> Report:
        report = advance(pool, batches, max_updates)
        if when(report.progress.updates):
            lost.append(report.progress.updates)
            raise LearnerLostError("it was killed")
        return report

    monkeypatch.setattr(InlinePool, "advance", advance_or_lose)
    return lost


def once_past(*thresholds: int) -> Callable[[int], bool]:
    left = list(thresholds)

    def when(updates: int) -> bool:
        if left and updates >= left[0]:
            left.pop(0)
            return True
        return False

    return when


def test_a_run_that_lost_its_learner_four_times_equals_the_one_that_lost_none(
    tiny_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, harmed = tmp_path / "whole", tmp_path / "harmed"
    config = load_config(tiny_config)
    train(config, run_dir=whole)
    # The first falls before any checkpoint, the third and the fourth after the same one.
    lost = lose(monkeypatch, once_past(3, 47, 83, 86))
    train(config, run_dir=harmed)
    assert len(lost) == 4
    assert final_files(harmed) == final_files(whole)
    assert metrics(harmed) == metrics(whole)
    assert records(harmed) == records(whole)
    log = (harmed / "logs" / "train.log").read_text()
    assert "the run goes on from update 0, as there is no checkpoint yet" in log
    assert "the run goes on from the checkpoint of update 40" in log
    assert json.loads((harmed / "run.json").read_text())["state"] == "finished"


def test_a_learner_that_is_lost_again_and_again_at_the_same_place_ends_the_run(
    tiny_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = lose(monkeypatch, lambda updates: updates > 20)
    with pytest.raises(
        WorkerError, match=f"lost {MOST_RECOVERIES + 1} times after update 20, the last time: it was killed"
    ):
        train(load_config(tiny_config), run_dir=tmp_path / "run")
    assert len(lost) == MOST_RECOVERIES + 1
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "failed"
