"""Both pools give a learner what it demands: in rounds or not, and no older than it bears."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rlplat import registry
from rlplat.config import load_config
from rlplat.interfaces import Demand, Progress
from rlplat.training.build import build
from rlplat.training.hosts import LearnerHost
from rlplat.training.inline import InlinePool
from rlplat.training.pool import Batch, Pool
from rlplat.training.session import make_pool

CONFIG = """\
env: {id: tictactoe}
agent: {id: "counting:Counting", max_lag: 0}
training: {max_updates: 10}
placement: {num_actors: 3, object_store_mib: 80}
"""


@pytest.fixture(scope="module", params=["inline", "ray"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """One pool of each kind for all tests, as Ray takes its time to start."""
    if request.param == "ray":
        pytest.importorskip("ray")
    path = tmp_path_factory.mktemp("demand") / "counting.yaml"
    path.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        tests = Path(__file__).parents[1]
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tests.parent, tests))))  # of the actors
        patch.setattr(registry, "_trusted", ["counting"])
        pool = make_pool(build(load_config(path, [f"placement.mode={request.param}"])))
        try:
            pool.start(None, None)
            yield pool
        finally:
            pool.close()


def collected(pool: Pool, demand: Demand, enough: Callable[[list[Batch]], bool]) -> list[Batch]:
    batches: list[Batch] = []
    end = time.monotonic() + 60
    while not enough(batches):
        assert time.monotonic() < end, "waited too long"
        batches += pool.collect(demand)
    return batches


def test_a_synchronous_round_waits_for_the_update_before_it_and_is_whole_and_in_order(pool):
    report = pool.advance([], 1)
    updates, amount = report.progress.updates, report.progress.amount
    for _ in range(4):
        begun = time.monotonic()
        batches = collected(pool, Demand(1, synchronous=True), bool)
        assert [batch.summary.metrics["index"] for batch in batches] == [0, 1, 2]
        assert {batch.summary.weights_version for batch in batches} == {report.progress.version}
        assert all(batch.summary.metrics["started"] >= begun for batch in batches)
        report = pool.advance(batches, 1)
    assert (report.progress.updates - updates, report.progress.amount - amount) == (4, 12)


def test_data_older_than_the_learner_bears_is_dropped_and_counted(pool):
    amount = pool.advance([], 1).progress.amount
    old = collected(pool, Demand(1), lambda found: len(found) >= 3)
    report = pool.advance(old[:1], 1)
    assert (report.progress.amount - amount, report.num_stale) == (1, 0)
    assert report.demand.min_version == report.progress.version
    report = pool.advance(old[1:3], 1)
    assert (report.progress.amount - amount, report.num_stale) == (1, 2)
    # And collection goes on with weights that are new enough.
    newest = report.progress.version

    def fresh(found: list[Batch]) -> list[Batch]:
        return [batch for batch in found if batch.summary.weights_version == newest]

    report = pool.advance(fresh(collected(pool, Demand(1), lambda found: bool(fresh(found))))[:1], 1)
    assert (report.progress.amount - amount, report.num_stale) == (2, 0)


def test_without_synchrony_collectors_on_ray_work_through_the_update(pool):
    if isinstance(pool, InlinePool):
        pytest.skip("one process takes turns")
    turns, starts = [], []
    for _ in range(6):
        batches = collected(pool, Demand(1), bool)
        starts += [batch.summary.metrics["started"] for batch in batches]
        begun = time.monotonic()
        pool.advance(batches, 1)
        turns.append((begun, time.monotonic()))
    assert any(begun < start < ended for start in starts for begun, ended in turns)
    # From one kind to the other: what is under way comes first, then whole rounds begin.
    last = collected(pool, Demand(1, synchronous=True), lambda found: len(found) >= 7)
    assert [batch.summary.metrics["index"] for batch in last[-3:]] == [0, 1, 2]


def test_a_version_that_was_never_published_cannot_be_demanded():
    class Impatient:
        def demand(self):
            return Demand(1, min_version=5)

        def progress(self):
            return Progress(0, 0, 0, version=1, owed=0)

    with pytest.raises(ValueError, match="wants data of version 5, but has published 1 only"):
        LearnerHost(Impatient()).turn([], 1)
