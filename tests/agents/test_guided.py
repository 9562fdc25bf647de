"""The guided policy's collector, learner and policy on small tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.visuomotor.actions import from_env, to_env
from agents.visuomotor.guided_policy.agent import GuidedPolicy
from agents.visuomotor.guided_policy.collector import GuidedCollector, squared_gap, teacher_probability
from agents.visuomotor.guided_policy.config import MixtureConfig
from agents.visuomotor.guided_policy.learner import GuidedLearner
from agents.visuomotor.publishing import as_tensors
from rlplat.config import RunConfig, load_config
from rlplat.data.labelled_steps import ROWS
from rlplat.errors import CheckpointError, ConfigError
from rlplat.interfaces import Arrays, Continuous, Summary
from rlplat.training.build import build
from rlplat.training.session import train

TOYS = ["toy_tasks"]
TINY = """\
env: {id: "toy_tasks:toys/Drift-v0"}
agent:
  id: guided_policy
  num_envs: 4
  num_steps: 40
  max_steps: 2000
  mixture: {noise: 0.0}
  network: {hidden: [32]}
  training: {updates_per_round: 100, batch_size: 32, learning_rate: 0.01}
training: {max_updates: 300, checkpoint_every: 100, log_every: 20}
evaluation: {every: 0, against: [expert], final_num_episodes: 20}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""
SEEN = """\
env: {id: "envs.robots:rlplat/CartpoleSwingup-v0", parameters: {pixels: 12, frame_stack: 2, action_repeat: 8}}
agent:
  id: guided_policy
  num_envs: 2
  num_steps: 15
  max_steps: 400
  network: {hidden: [16], channels: [4, 4]}
  training: {updates_per_round: 10, batch_size: 8, total_updates: 40}
training: {max_updates: 40, checkpoint_every: 15, log_every: 5}
evaluation: {final_num_episodes: 0}
placement: {mode: inline, num_actors: 1, learner_threads: 1}
"""


def make(tmp_path: Path, *overrides: str, text: str = TINY) -> tuple[RunConfig, GuidedPolicy]:
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    config = load_config(path, overrides, trust=TOYS)
    agent = build(config, trust=TOYS).agent
    assert isinstance(agent, GuidedPolicy)
    return config, agent


def collect(
    agent: GuidedPolicy, learner: GuidedLearner, num_rounds: int = 0
) -> tuple[GuidedCollector, Arrays, Summary]:
    """What is collected with the learner's weights after so many rounds."""
    collector = agent.make_collector(0, 2)
    collector.set_weights(1, learner.publish() | {"round": np.array(num_rounds)})
    collected = collector.collect(learner.demand())
    return collector, collected.arrays, collected.summary


def test_the_teacher_acts_in_round_i_with_probability_p_to_the_i():
    assert [teacher_probability(MixtureConfig(decay=0.5), i) for i in range(4)] == [1, 0.5, 0.25, 0.125]
    assert [teacher_probability(MixtureConfig(decay=0.0), i) for i in range(3)] == [1, 0, 0]
    assert teacher_probability(MixtureConfig(decay=1.0), 9) == 1


def test_actions_go_to_the_environment_and_back():
    space = Continuous((2,), (-3.0, -np.inf), (5.0, np.inf))
    actions = np.array([[-3.0, 7.0], [5.0, 0.0], [1.0, -2.0]])
    assert from_env(space, actions).tolist() == [[-1, 7], [1, 0], [0, -2]]
    assert to_env(space, from_env(space, actions)) == pytest.approx(actions)


def test_the_gap_is_the_mean_square_of_what_the_student_does_otherwise():
    assert squared_gap(np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([[0.0, 0.0], [0.0, 0.0]])) == 0.5 + 0.25
    assert squared_gap(np.array([1, 2, 0]), np.array([1, 0, 0])) == 1


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_every_state_that_the_student_visits_is_labelled_by_the_teacher(tmp_path, mode):
    _, agent = make(tmp_path, f"env.parameters={{mode: {mode}, noise: 0.0}}")
    learner = agent.make_learner(inline=True)
    _, arrays, summary = collect(agent, learner, num_rounds=1)
    points = arrays["policy"][:, 0]
    assert len(points) == summary.amount == summary.metrics["student_steps"]
    assert arrays["labels"][:, 0] == pytest.approx(np.clip(-2 * points, -1, 1), abs=1e-6)
    # The states follow from the student's actions, not from the labels.
    with torch.no_grad():
        own = learner.student.actions(as_tensors({"policy": arrays["policy"]})).numpy()[:, 0]
    moved = points + 0.5 * np.clip(own, -1, 1)
    follows = np.isclose(points[1:], moved[:-1], atol=1e-5)
    # But where another episode or the other environment begins; an episode may end with the last step.
    assert summary.episodes - 1 <= (~follows).sum() <= summary.episodes + 1
    assert summary.metrics["gap"] == pytest.approx(
        ((np.clip(own, -1, 1) - arrays["labels"][:, 0]) ** 2).sum(), rel=1e-4
    )


def test_in_round_0_the_teacher_acts(tmp_path):
    _, agent = make(tmp_path, "env.parameters={noise: 0.0}")
    _, arrays, summary = collect(agent, agent.make_learner(inline=True))
    points, labels = arrays["policy"][:, 0], arrays["labels"][:, 0]
    follows = np.isclose(points[1:], (points + 0.5 * labels)[:-1], atol=1e-5)
    assert summary.episodes - 1 <= (~follows).sum() <= summary.episodes + 1
    assert summary.metrics["teacher_steps"] == summary.amount and summary.metrics["student_judged"] == 0


@pytest.mark.parametrize("per", ["episode", "step"])
def test_chance_decides_who_acts(tmp_path, per):
    _, agent = make(tmp_path, f"agent.mixture={{decay: 0.5, per: {per}}}", "agent.num_envs=40")
    learner = agent.make_learner(inline=True)
    collector = agent.make_collector(0, 2)
    collector.set_weights(1, learner.publish() | {"round": np.array(1)})
    led = []
    for _ in range(3):
        metrics = collector.collect(learner.demand()).summary.metrics
        led.append(metrics["teacher_steps"] / metrics["steps"])
    assert np.mean(led) == pytest.approx(0.5, abs=0.03 if per == "step" else 0.15)
    own = collector._alone.mean()
    assert own < 0.2 if per == "step" else 0.2 < own < 0.8


def test_the_student_learns_what_the_teacher_does(tmp_path):
    config, _ = make(tmp_path)
    results = {result.name: result.value for result in train(config, run_dir=tmp_path / "run", trust=TOYS)}
    assert results["evaluation.agent.return"] == pytest.approx(results["evaluation.expert.return"], rel=0.05)


@pytest.mark.parametrize("overrides", [[], ["agent.pretraining={updates: 20, then: features}"]])
def test_a_run_that_is_stopped_in_a_round_and_resumed_is_the_unbroken_run(tmp_path, overrides):
    def run(folder: Path, *more: str, resume: bool = False) -> dict[str, bytes]:
        config, _ = make(tmp_path, *overrides, *more, text=SEEN)
        train(config, run_dir=folder, resume=resume)
        newest = max((folder / "checkpoints").glob("0*"))
        return {path.name: path.read_bytes() for path in newest.rglob("*") if path.suffix == ".safetensors"}

    whole = run(tmp_path / "whole")
    run(tmp_path / "broken", "training.max_updates=15")
    broken = run(tmp_path / "broken", resume=True)
    assert {"weights.safetensors", "learner.safetensors", "steps.safetensors", "00000.safetensors"} <= set(whole)
    assert broken == whole


def test_a_broken_checkpoint_is_told(tmp_path):
    _, agent = make(tmp_path)
    learner = agent.make_learner(inline=True)
    (tmp_path / "saved").mkdir()
    learner.save(tmp_path / "saved")
    (tmp_path / "saved" / "learner.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot continue from this checkpoint"):
        agent.make_learner(inline=True).load(tmp_path / "saved")


def teacher_run(tmp_path: Path, env: str) -> Path:
    """A short run of PPO."""
    path = tmp_path / "teacher.yaml"
    path.write_text(
        f"env: {env}\nagent: {{id: ppo, num_envs: 2, num_steps: 8, network: {{hidden: [8]}}}}\n"
        "training: {max_updates: 1}\nevaluation: {final_num_episodes: 0}\nplacement: {mode: inline, num_actors: 1}\n"
    )
    train(load_config(path, trust=TOYS), run_dir=tmp_path / "teacher", trust=TOYS)
    return tmp_path / "teacher"


@pytest.fixture
def trusted(monkeypatch):
    monkeypatch.setattr("rlplat.registry._trusted", list(TOYS))


def test_a_trained_agent_teaches_discrete_actions_within_their_mask(tmp_path, trusted):
    run = teacher_run(tmp_path, '{id: "toy_tasks:toys/Count-v0"}')
    _, agent = make(
        tmp_path,
        "env.id=toy_tasks:toys/Count-v0",
        f"agent.teacher={{run: {run}, checkpoint: latest}}",
        "agent.mixture.noise=0.5",
        "agent.num_steps=100",
    )
    learner = agent.make_learner(inline=True)
    _, arrays, summary = collect(agent, learner, num_rounds=1)
    assert arrays["labels"].dtype == np.int64 and set(arrays["labels"].tolist()) <= {1, 2}
    assert len(set(map(tuple, np.stack([arrays["policy"][:, 0], arrays["labels"]], 1)))) <= 6, "one label a state"
    learner.ingest(arrays, summary)
    first = learner.update(20)["loss/action"]
    for _ in range(4):
        last = learner.update(20)["loss/action"]
    assert last < 0.1 * first
    policy = agent.make_policy(learner.publish(), num_simulations=None, seed=0)
    seen = {name: arrays[name] for name in ("policy", "action_mask")}
    assert (policy.act(seen) == arrays["labels"]).mean() > 0.99


def test_a_teacher_of_another_task_or_not_trusted_is_refused(tmp_path, trusted, monkeypatch):
    run = teacher_run(tmp_path, '{id: "toy_tasks:toys/Count-v0"}')
    _, agent = make(tmp_path, f"agent.teacher={{run: {run}, checkpoint: latest}}")
    with pytest.raises(ConfigError, match=r"which learned toy_tasks:toys/Count-v0; it must be toy_tasks:toys/Drift-v0"):
        agent.make_collector(0, 1)
    monkeypatch.setattr("rlplat.registry._trusted", [])
    with pytest.raises(ConfigError, match="lies in the package toy_tasks, which is not trusted"):
        agent.make_collector(0, 1)


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        (
            TINY,
            ["env.id=toy_tasks:toys/Count-v0"],
            "agent.teacher is 'expert', and toy_tasks:toys/Count-v0 offers none",
        ),
        (TINY, ["env.id=tictactoe"], "learns tasks; env.id is tictactoe, a game: take alphazero"),
        (TINY, ["agent.pretraining={}"], "no observation privileged to be regressed"),
        (SEEN, ["agent.pretraining={entries: [0, 5]}"], "entries has 5; privileged has 5 numbers, 0 to 4"),
        (SEEN, ["agent.pretraining={}", "env.parameters.privileged=false"], "no observation privileged"),
    ],
)
def test_what_cannot_be_learned_is_told(tmp_path, text, overrides, message):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, *overrides, text=text)


def test_steps_that_do_not_fit_into_memory_are_refused_before_the_run_begins(tmp_path):
    _, agent = make(tmp_path, "agent.max_steps=100000000000", text=SEEN)
    with pytest.raises(ConfigError, match=r"agent.max_steps is 100000000000: so many steps take [0-9,]+ MiB"):
        agent.make_learner(inline=True)


def seen_rows(agent: GuidedPolicy, learner: GuidedLearner) -> dict[str, np.ndarray]:
    _, arrays, summary = collect(agent, learner)
    learner.ingest(arrays, summary)
    assert len(arrays[ROWS]) == summary.amount == len(learner.steps)
    return learner.steps.draw(6, np.random.default_rng(0))


@pytest.mark.parametrize("then", ["end_to_end", "features", "pose", "joint"])
def test_after_the_pretraining_convolutions_go_on_learning_or_stay(tmp_path, then):
    _, agent = make(tmp_path, f"agent.pretraining={{updates: 10, entries: [0, 1, 2], then: {then}}}", text=SEEN)
    learner = agent.make_learner(inline=True)
    rows = seen_rows(agent, learner)
    begin = learner.publish()
    metrics = learner.update(20)
    assert learner.progress().updates == 10 and set(metrics) >= {"loss/pose"} - {"loss/action"}
    pretrained = learner.publish()
    metrics = learner.update(20)
    assert "loss/action" in metrics and ("loss/pose" in metrics) == (then == "joint")
    trained = learner.publish()

    def moved(one: Arrays, two: Arrays, name: str) -> bool:
        return any((one[key] != two[key]).any() for key in one if key.startswith(name))

    assert moved(begin, pretrained, "network.pictures") and moved(begin, pretrained, "pose.")
    assert not moved(begin, pretrained, "network.layers")
    assert moved(pretrained, trained, "network.layers")
    assert moved(pretrained, trained, "pose.") == (then == "joint")
    assert moved(pretrained, trained, "network.pictures") == (then in ("end_to_end", "joint"))
    policy = agent.make_policy(trained, num_simulations=None, seed=0)
    assert policy.act({"policy/camera": rows["policy/camera"]}).shape == (6, 1)


def test_a_blind_student_acts_alike_whatever_the_picture(tmp_path):
    found = {}
    for blind in (False, True):
        _, agent = make(tmp_path, f"agent.network.blind={str(blind).lower()}", text=SEEN)
        learner = agent.make_learner(inline=True)
        rows = seen_rows(agent, learner)
        learner.update(20)
        act = agent.make_policy(learner.publish(), num_simulations=None, seed=0).act
        pictures = rows["policy/camera"]
        black = np.zeros_like(pictures)
        found[blind] = [act({"policy/camera": each}) for each in (pictures, black)]
    assert not np.allclose(*found[False])
    assert (found[True][0] == found[True][1]).all()
