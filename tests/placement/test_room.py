"""How much of a cluster a run asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplat.config import RunConfig, load_config
from rlplat.errors import ConfigError
from rlplat.placement import room


def config_with(path: Path, *overrides: str) -> RunConfig:
    return load_config(path, ["placement.mode=ray", *overrides])


def test_a_run_asks_for_learner_collectors_and_an_evaluator_only_if_it_evaluates(tiny_config: Path) -> None:
    config = config_with(tiny_config, "placement.num_actors=3", "placement.threads_per_actor=2")
    assert room.bundles(config, num_gpus=0) == [{"CPU": 1}, {"CPU": 2}, {"CPU": 2}, {"CPU": 2}, {"CPU": 1}]
    quiet = config_with(tiny_config, "placement.num_actors=1", "evaluation.every=0")
    assert room.bundles(quiet, num_gpus=0) == [{"CPU": 1}, {"CPU": 1}]


def test_learner_and_collectors_share_one_gpu_where_there_is_one(tiny_config: Path) -> None:
    config = config_with(tiny_config, "placement.num_actors=2", "evaluation.every=0")
    assert room.bundles(config, num_gpus=1) == [
        {"CPU": 1, "GPU": 0.5},
        {"CPU": 1, "GPU": 0.25},
        {"CPU": 1, "GPU": 0.25},
    ]
    shares = room.bundles(config_with(tiny_config, "placement.num_actors=1", "placement.learner_gpu=0.7"), num_gpus=1)
    assert [bundle.get("GPU") for bundle in shares[:2]] == pytest.approx([0.7, 0.3])
    on_cpu = config_with(tiny_config, "placement.device=cpu")
    assert all("GPU" not in bundle for bundle in room.bundles(on_cpu, num_gpus=8))
    demanded = config_with(tiny_config, "placement.device=cuda")
    assert room.total(room.bundles(demanded, num_gpus=0)) == {"CPU": 4, "GPU": 1}


@pytest.mark.parametrize(
    ("num_learners", "num_actors", "num_gpus", "parts"),
    [
        (1, 1, 2, (1.0, 1.0)),
        (1, 3, 3, (1.0, 0.5)),  # three collectors on two GPUs: two on one of them
        (2, 7, 3, (1.0, 0.1428)),
        (2, 4, 2, (1.0, 0.0)),  # nothing is left: the collectors evaluate on their CPUs
        (2, 4, 1, (1.0, 0.0)),  # does not fit, and the numbers say so
        (2, 4, 0, (0.0, 0.0)),
    ],
)
def test_with_several_gpus_the_learner_has_its_own_and_the_collectors_share_the_rest(
    tiny_config: Path, num_learners: int, num_actors: int, num_gpus: int, parts: tuple[float, float]
) -> None:
    counts = [f"placement.num_learners={num_learners}", f"placement.num_actors={num_actors}", "evaluation.every=0"]
    config = config_with(tiny_config, *counts)
    assert room.gpu_parts(config.placement, num_gpus) == pytest.approx(parts)
    bundles = room.bundles(config, num_gpus=num_gpus)
    assert [bundle.get("GPU", 0) for bundle in bundles] == pytest.approx(
        [parts[0]] * num_learners + [parts[1]] * num_actors
    )
    machine = {"CPU": 64.0, "GPU": float(num_gpus)}
    assert room.fits(bundles, [machine]) is (num_gpus == 0 or num_gpus >= num_learners)


def test_who_demands_gpus_gets_one_for_the_collectors_too(tiny_config: Path) -> None:
    config = config_with(tiny_config, "placement.device=cuda", "placement.num_learners=2", "placement.num_actors=2")
    assert room.total(room.bundles(config, num_gpus=2)) == {"CPU": 5, "GPU": 3}


def test_more_processes_of_the_learner_take_room_from_the_collectors(tiny_config: Path) -> None:
    config = config_with(tiny_config, "placement.num_learners=4", "placement.num_actors=1")
    assert room.spare_cpus(config.placement) == 5
    assert room.num_collectors_that_fit(config, [{"CPU": 12}]) == 7
    assert len(room.bundles(config, num_gpus=0)) == 4 + 1 + 1


def test_one_process_has_no_room_for_two_learners(tiny_config: Path) -> None:
    with pytest.raises(ConfigError, match="num_learners is 2 and mode is 'inline', which is one process"):
        load_config(tiny_config, ["placement.num_learners=2"])


@pytest.mark.parametrize(
    ("wanted", "nodes", "fits"),
    [
        ([{"CPU": 2}, {"CPU": 2}], [{"CPU": 4}], True),
        ([{"CPU": 3}], [{"CPU": 2}, {"CPU": 2}], False),  # four in all, but a process lies on one machine
        ([{"CPU": 1}, {"CPU": 2}, {"CPU": 1}], [{"CPU": 2}, {"CPU": 2}], True),
        ([{"CPU": 1, "GPU": 0.5}, {"CPU": 1}], [{"CPU": 1}, {"CPU": 1, "GPU": 1}], True),
        ([{"CPU": 1, "GPU": 0.5}] * 3, [{"CPU": 8, "GPU": 1}], False),
        ([{"CPU": 1}], [], False),
    ],
)
def test_bundles_fit_if_each_finds_a_machine(
    wanted: list[dict[str, float]], nodes: list[dict[str, float]], fits: bool
) -> None:
    before = [dict(node) for node in nodes]
    assert room.fits(wanted, nodes) is fits
    assert nodes == before


def test_as_many_collectors_as_fit_beside_learner_and_evaluator(tiny_config: Path) -> None:
    config = config_with(tiny_config)
    assert room.num_collectors_that_fit(config, [{"CPU": 4}, {"CPU": 8}]) == 10
    two_threads = config_with(tiny_config, "placement.threads_per_actor=2")
    assert room.num_collectors_that_fit(two_threads, [{"CPU": 9}]) == 3
    assert room.num_collectors_that_fit(config, [{"CPU": 1}]) == 1


def test_what_a_run_waits_for_is_said_with_the_numbers() -> None:
    wanted = [{"CPU": 1, "GPU": 0.5}, {"CPU": 2, "GPU": 0.5}]
    assert (
        room.waits_for(wanted, {"CPU": 1}, {"CPU": 8, "GPU": 1})
        == "3 CPUs and 1 GPU; 1 of 8 CPUs is free, 0 of 1 GPUs are free"
    )
