"""Runs on Ray whose networks are on GPUs; `placement.device=cuda` fails wherever one is lacking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from conftest import rlplat

pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

pytestmark = pytest.mark.gpu
ON_RAY = ["-o", "placement.mode=ray", "-o", "placement.object_store_mib=100", "-o", "placement.device=cuda"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
@pytest.mark.parametrize("num_actors", [1, 3])
def test_learner_and_collectors_share_a_gpu(tiny_config: Path, tmp_path: Path, num_actors: int) -> None:
    run = tmp_path / "run"
    done = rlplat("train", tiny_config, "--run-dir", run, *ON_RAY, "-o", f"placement.num_actors={num_actors}")
    assert done.returncode == 0, done.stderr + done.stdout
    record = json.loads((run / "run.json").read_text())
    assert (record["state"], record["progress"]["updates"]) == ("finished", 120)


@pytest.mark.skipif(torch.cuda.device_count() < 3, reason="torch sees fewer than three CUDA devices")
def test_a_learner_of_two_processes_has_two_gpus_and_the_collectors_the_third(
    tiny_config: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    done = rlplat("train", tiny_config, "--run-dir", run, *ON_RAY, "-o", "placement.num_learners=2")
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads((run / "run.json").read_text())["progress"]["updates"] == 120
