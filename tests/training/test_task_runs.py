"""Runs of tasks by the one loop: repeatable, resumable, evaluated by episodes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from rlplat.config import load_config
from rlplat.errors import RunError
from rlplat.evaluation.contest import open_runs
from rlplat.evaluation.evaluate import evaluate_run
from rlplat.runs.arrays import load_arrays
from rlplat.training.check import check
from rlplat.training.session import train

TOYS = ["toy_tasks"]
TINY = """\
env: {id: "toy_tasks:toys/Drift-v0"}
agent:
  id: ppo
  num_envs: 4
  num_steps: 12
  network: {hidden: [16]}
  training: {num_epochs: 2, batch_size: 16}
training: {max_updates: 6, checkpoint_every: 2, log_every: 1, records_every: 2}
evaluation: {every: 4, against: [random, expert], num_episodes: 4, final_num_episodes: 5}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""

SAC = """\
env: {id: "toy_tasks:toys/Drift-v0"}
agent:
  id: sac
  num_envs: 4
  collect_steps: 5
  network: {hidden: [16]}
  replay: {capacity: 60, min_steps: 20}
  training: {batch_size: 16, updates_per_step: 0.25}
training: {max_updates: 60, checkpoint_every: 20, log_every: 10, records_every: 20}
evaluation: {every: 40, against: [random, expert], num_episodes: 4, final_num_episodes: 5}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def run(config_path: Path, folder: Path, *overrides: str, resume: bool = False):
    return train(load_config(config_path, overrides, trust=TOYS), run_dir=folder, resume=resume, trust=TOYS)


def final_files(folder: Path) -> dict[str, str]:
    manifest = json.loads((max((folder / "checkpoints").glob("0*")) / "manifest.json").read_text())
    return {name: entry["sha256"] for name, entry in manifest["files"].items()}


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    clock = ("time", "speed/", "timing/")
    return [{name: value for name, value in line.items() if not name.startswith(clock)} for line in lines]


def test_a_run_that_is_stopped_and_resumed_is_the_unbroken_run_and_a_repeated_one_the_same(config_path, tmp_path):
    results = run(config_path, tmp_path / "unbroken")
    assert [result.name for result in results] == [
        f"evaluation.{name}.return" for name in ("agent", "random", "expert")
    ]
    run(config_path, tmp_path / "broken", "training.max_updates=2", "evaluation.final_num_episodes=0")
    run(config_path, tmp_path / "broken", resume=True)
    assert final_files(tmp_path / "broken") == final_files(tmp_path / "unbroken")
    assert metrics(tmp_path / "broken") == metrics(tmp_path / "unbroken")
    assert [path.name for path in sorted((tmp_path / "broken" / "games").iterdir())] == [
        "00000002.txt",
        "00000004.txt",
        "00000006.txt",
    ]
    rows = metrics(tmp_path / "unbroken")
    assert [row["step"] for row in rows if "evaluation/return" in row] == [4, 6]
    assert all("evaluation/expert/return" in row for row in rows if "evaluation/return" in row)
    assert all(row["rollouts/length"] == pytest.approx(20, abs=2.1) for row in rows if "rollouts/length" in row)


def test_a_run_from_a_replay_that_is_stopped_and_resumed_is_the_unbroken_run(tmp_path):
    path = tmp_path / "sac.yaml"
    path.write_text(SAC)
    run(path, tmp_path / "unbroken")
    run(path, tmp_path / "broken", "training.max_updates=20", "evaluation.final_num_episodes=0")
    run(path, tmp_path / "broken", resume=True)
    files = final_files(tmp_path / "broken")
    assert "learner/replay.safetensors" in files
    assert files == final_files(tmp_path / "unbroken")
    assert metrics(tmp_path / "broken") == metrics(tmp_path / "unbroken")


def test_environments_that_cannot_go_on_begin_their_episodes_anew_and_the_log_says_so(config_path, tmp_path, caplog):
    toy = ["env.id=toy_tasks:toys/Count-v0", "evaluation.against=[random]", "evaluation.every=0"]
    run(config_path, tmp_path / "run", *toy, "training.max_updates=2")
    with caplog.at_level(logging.INFO):
        run(config_path, tmp_path / "run", *toy, "training.max_updates=4", resume=True)
    assert "toys/Count-v0 cannot go on within an episode: its episodes begin anew" in caplog.text
    assert metrics(tmp_path / "run")[-1]["step"] == 4


def test_a_run_of_a_task_is_evaluated_by_episodes_and_not_rated(config_path, tmp_path):
    folder = tmp_path / "run"
    run(config_path, folder, "training.max_updates=2", "evaluation.final_num_episodes=0")
    (agent, expert) = evaluate_run(
        folder, against=["expert"], num_games=200, num_simulations=None, num_episodes=7, seed=1, trust=TOYS
    )
    assert (agent.player, expert.player, agent.num_episodes, agent.step) == ("agent", "expert", 7, 2)
    kept = [json.loads(path.read_text()) for path in (folder / "evaluations").glob("*.json")]
    assert kept[-1]["episodes"][1]["mean_return"] == expert.mean_return
    weights = load_arrays(folder / "checkpoints" / "00000002" / "weights.safetensors")
    assert weights["observations.parts.policy.count"] > 0, "what normalises is saved with the policy"
    with pytest.raises(RunError, match=r"learns toy_tasks:toys/Drift-v0, a task; only runs of a game can be rated"):
        open_runs([folder], TOYS)


def test_check_predicts_a_run_of_a_task(config_path):
    found = {result.name: result.value for result in check(load_config(config_path, trust=TOYS), TOYS, seconds=0.1)}
    assert found["check.end.updates"] == 6 and found["check.end.by"] == "training.max_updates"
    assert found["check.end.steps"] == pytest.approx(6 * 48, rel=0.1)
    assert found["check.rate.steps"] > 0 and "check.evaluation.return" in found


def test_check_predicts_a_run_from_a_replay_with_its_memory(tmp_path):
    path = tmp_path / "sac.yaml"
    path.write_text(SAC)
    config = load_config(path, ["agent.collect_steps=1", "agent.replay.capacity=100000000"], trust=TOYS)
    found = {result.name: result.value for result in check(config, TOYS, seconds=0.1)}
    assert found["check.rate.updates_per_step"] == pytest.approx(0.25, rel=0.1)
    full = found["check.memory.learner_full"] - found["check.memory.learner_now"]
    assert full == pytest.approx(100_000_000 * (3 * 4 + 4 + 2) / 2**20, rel=0.01), "three floats, one place, two flags"
