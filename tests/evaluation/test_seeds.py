"""Runs of several seeds together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlplat.evaluation.episodes import Returns
from rlplat.evaluation.seeds import across_runs, interquartile_mean, stratified_interval

ROW = Returns("agent", 10, 0.0, 0.0, 0.0, None, None, None, 5.0, 0, 1.0, task="a")


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end():
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -50.0])) == np.mean([2, 3, 4, 5])
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0, "of three none is left out"


def test_the_interval_resamples_runs_within_tasks():
    constant = {"a": np.zeros(4), "b": np.ones(4)}
    assert stratified_interval(constant) == (0.5, 0.5), "each resample holds four runs of each task"
    values = np.random.default_rng(1).normal(0.0, 1.0, 200)
    low, high = stratified_interval({"a": values})
    assert low < interquartile_mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 1.09 / np.sqrt(200), rel=0.2)  # IQM: 1.09 deviations / sqrt(n)


def test_returns_of_different_tasks_are_not_mixed_but_shares_are():
    runs = [[replace(ROW, mean_return=value, success=value / 10, task=task)] for value, task in ((4, "a"), (8, "b"))]
    (success,) = across_runs(runs)
    assert (success.measure, success.mean, success.num_tasks, success.runs) == (
        "success",
        pytest.approx(0.6),
        2,
        (0.4, 0.8),
    )
    same = across_runs([[replace(row, task="a")] for (row,) in runs])
    assert [each.measure for each in same] == ["return", "success"]
    assert same[0].mean == 6.0 and (same[0].low, same[0].high) == (4.0, 8.0)


def test_only_what_all_runs_have_is_put_together():
    both = [ROW, replace(ROW, player="random", mean_return=1.0)]
    found = across_runs([both, [ROW], [ROW]])
    assert [(each.player, each.measure, each.num_runs) for each in found] == [("agent", "return", 3)]
