"""The pool on Ray when parts of it are lost, and what it holds in shared memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlplat import registry
from rlplat.config import load_config
from rlplat.interfaces import Demand
from rlplat.training.build import build
from rlplat.training.pool import Batch, LearnerLostError
from rlplat.training.session import make_pool

ray = pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

NUM_COLLECTORS = 2
PAYLOAD_KIB = 512
CONFIG = f"""\
env: {{id: tictactoe}}
agent: {{id: "counting:Counting", turn_s: 0.02, collect_s: 0.02, payload_kib: {PAYLOAD_KIB}}}
training: {{max_updates: 10}}
placement: {{num_actors: {NUM_COLLECTORS}, object_store_mib: 80}}
"""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One pool for all tests, as Ray takes its time to start."""
    path = tmp_path_factory.mktemp("losses") / "counting.yaml"
    path.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        tests = Path(__file__).parents[1]
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tests.parent, tests))))  # of the actors
        patch.setattr(registry, "_trusted", ["counting"])
        pool = make_pool(build(load_config(path)))
        try:
            pool.start(None, None)
            yield pool
        finally:
            pool.close()


def some(pool: Any) -> list[Batch]:
    end = time.monotonic() + 120
    while not (batches := pool.collect(Demand(1))):
        assert time.monotonic() < end, "waited too long"
    return batches


def used_bytes() -> float:
    return ray.cluster_resources()["object_store_memory"] - ray.available_resources()["object_store_memory"]


def test_what_a_run_keeps_in_shared_memory_does_not_grow_and_a_payload_is_one_object(pool: Any) -> None:
    references = ray._private.worker.global_worker.core_worker.get_all_reference_counts
    most_objects, most_bytes = 0, 0.0
    for turn in range(120):
        batches = some(pool)
        pool.advance(batches, 1)
        del batches
        most_objects = max(most_objects, len(references()))
        if turn % 20 == 19:
            most_bytes = max(most_bytes, used_bytes())
    # Each of two calls of a collector is a summary and a payload; besides them the actors' handles and their creation.
    under_way = 2 * NUM_COLLECTORS
    assert most_bytes > 0
    print(f"at most {most_objects} references here, {most_bytes / 2**20:.1f} MiB in shared memory")
    assert most_objects <= 2 * under_way + 2 * (NUM_COLLECTORS + 1)
    # What was used up since Ray last looked counts too, so twice the calls under way.
    assert most_bytes <= (2 * under_way + 1) * (PAYLOAD_KIB << 10) * 1.1


def wait_until_lost(reference: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            ray.get(reference, timeout=10)
        except ray.exceptions.OwnerDiedError:
            return
        time.sleep(0.2)
    raise AssertionError("it is not lost")


def test_data_that_is_lost_on_its_way_costs_that_data_alone(pool: Any) -> None:
    class Owner:
        """Owns what it puts, which is lost with it."""

        def put(self) -> list[Any]:
            return [ray.put({"x": np.zeros(PAYLOAD_KIB << 10, np.uint8)})]

    amount = pool.advance([], 1).progress.amount
    owner = ray.remote(num_cpus=0)(Owner).remote()
    (gone,) = ray.get(owner.put.remote())
    ray.kill(owner)
    wait_until_lost(gone)
    lost = [replace(batch, arrays=gone) for batch in some(pool)]
    assert pool.advance(lost, 1).progress.amount == amount
    assert pool.advance(some(pool)[:1], 1).progress.amount == amount + 1


def test_the_pool_starts_again_after_the_loss_of_its_learner_and_drops_what_was_under_way(pool: Any) -> None:
    for _ in range(5):
        report = pool.advance(some(pool), 1)
    pool.collect(Demand(1))  # calls are under way
    ray.kill(pool._learner)
    with pytest.raises(LearnerLostError):
        pool.advance([], 1)
    begun = time.monotonic()
    again = pool.start(None, None)
    assert again.progress.amount == again.progress.updates == 0
    assert again.progress.version < report.progress.version
    batches = some(pool)
    assert all(batch.summary.metrics["started"] > begun for batch in batches)
    assert {batch.summary.weights_version for batch in batches} == {again.progress.version}
    assert pool.advance(batches, 1).progress.amount == len(batches)
