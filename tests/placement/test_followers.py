"""A learner of two processes on Ray: one learner for those who look at it, alive as a whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

ray = pytest.importorskip("ray")

from rlplat.config import RunConfig, load_config  # noqa: E402
from rlplat.errors import ConfigError  # noqa: E402
from rlplat.interfaces import Summary  # noqa: E402
from rlplat.placement import cluster, room  # noqa: E402
from rlplat.placement.actors import WEIGHTS_GROUP, LearnerActor  # noqa: E402
from rlplat.placement.ray_pool import RayPool  # noqa: E402
from rlplat.testing.records import random_records  # noqa: E402
from rlplat.training.build import build  # noqa: E402

PLACEMENT = "{mode: ray, num_learners: 2, num_actors: 1, learner_threads: 1, object_store_mib: 80}"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    from conftest import TINY

    path = tmp_path_factory.mktemp("followers") / "tiny.yaml"
    path.write_text(TINY)
    return load_config(path, [f"placement={PLACEMENT}", "evaluation.every=0"])


@pytest.fixture(scope="module")
def group(config: RunConfig) -> Iterator[Any]:
    """Room for the learner on a Ray of our own."""
    with cluster.environment():
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        cluster.connect(config.placement)
        try:
            yield cluster.reserve(room.bundles(config, num_gpus=0)[:2], lambda _: None)
        finally:
            ray.shutdown()


@pytest.fixture
def learner(config: RunConfig, group: Any) -> Iterator[Any]:
    strategy = ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy(group, 0)
    actor = ray.remote(num_cpus=1, scheduling_strategy=strategy, concurrency_groups={WEIGHTS_GROUP: 1})(LearnerActor)
    made = actor.remote(config, (), group, room.bundles(config, num_gpus=0)[1:2])
    ray.get(made.start.remote(None, None))
    yield made
    ray.kill(made)
    wait_until(lambda: not processes("LearnerActor") and not processes("FollowerActor"))


def processes(name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if any(f"ray::{name}" in part for part in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_until(condition: Any, timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_it_learns_what_a_learner_of_one_process_learns(config: RunConfig, learner: Any) -> None:
    built = build(config)
    records = random_records(built.game, num_games=40, seed=0)
    summary = Summary(len(records["action"]), 40, weights_version=0, seconds=1.0)
    alone = built.agent.make_learner(inline=True)
    alone.ingest(records, summary)
    expected = {name: value for name, value in alone.update(8).items() if not name.startswith("timing/")}
    report = ray.get(learner.turn.remote([summary], 8, records))
    assert report.num_updates == 8
    assert report.metrics == pytest.approx(expected, rel=1e-3, abs=1e-5)
    _, reference = ray.get(learner.newest_weights.remote(0))
    published = alone.publish()
    for name, array in ray.get(reference).items():
        assert np.allclose(array, published[name], rtol=1e-2, atol=1e-4), name


def test_the_loss_of_a_follower_is_the_loss_of_the_learner(learner: Any) -> None:
    (follower,) = processes("FollowerActor")
    follower.kill()
    wait_until(lambda: not processes("LearnerActor"))
    with pytest.raises(ray.exceptions.RayActorError):
        ray.get(learner.turn.remote([], 0))


def test_a_learner_that_dies_takes_its_followers_along(learner: Any) -> None:
    (leader,) = processes("LearnerActor")
    assert len(processes("FollowerActor")) == 1
    leader.kill()
    wait_until(lambda: not processes("FollowerActor"))


def test_an_agent_whose_learner_is_one_process_is_refused_before_anything_starts(config: RunConfig) -> None:
    built = build(config)
    with pytest.raises(ConfigError, match=r"placement\.num_learners is 2, it must be 1: .*'alphazero' is one process"):
        RayPool(config, built.game, object()).start(None, None)  # type: ignore[arg-type]
