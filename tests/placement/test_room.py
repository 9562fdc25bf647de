"""How much of a cluster a run asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplat.config import RunConfig, load_config
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
    on_cpu = config_with(tiny_config, "placement.device=cpu")
    assert all("GPU" not in bundle for bundle in room.bundles(on_cpu, num_gpus=8))
    demanded = config_with(tiny_config, "placement.device=cuda")
    assert room.total(room.bundles(demanded, num_gpus=0)) == {"CPU": 4, "GPU": 1}


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
