"""SAC's collector, learner and policy on small tasks."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.visuomotor.sac.agent import Sac
from agents.visuomotor.sac.collector import SacCollector
from agents.visuomotor.sac.config import SacConfig
from agents.visuomotor.sac.learner import SacLearner
from agents.visuomotor.sac.model import SacModel
from agents.visuomotor.sac.policy import SacPolicy
from rlplat.config import RunConfig, load_config
from rlplat.errors import CheckpointError, ConfigError, DivergedError
from rlplat.interfaces import Arrays, Continuous, EnvSpec, Observed
from rlplat.training.build import build
from rlplat.training.hosts import CollectorHost, LearnerHost

TINY = """\
env: {id: "toy_tasks:toys/Drift-v0"}
agent:
  id: sac
  num_envs: 4
  collect_steps: 6
  network: {hidden: [16]}
  replay: {capacity: 200, min_steps: 20}
  training: {batch_size: 8, updates_per_step: 0.5}
training: {max_updates: 6}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""
CAMERA_TASK = "envs.robots:rlplat/CartpoleBalance-v0"


def make(tmp_path: Path, *overrides: str) -> tuple[RunConfig, Sac]:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    config = load_config(path, overrides, trust=["toy_tasks"])
    agent = build(config, trust=["toy_tasks"]).agent
    assert isinstance(agent, Sac)
    return config, agent


def run(agent: Sac, turns: int) -> tuple[SacLearner, LearnerHost, list[SacCollector], list[float]]:
    """Turns of the loop in one process."""
    learner = agent.make_learner(inline=True)
    host, collectors = LearnerHost(learner), [agent.make_collector(index, 2) for index in range(2)]
    hosts = [CollectorHost(each, index) for index, each in enumerate(collectors)]
    report, updates = host.start(None, None), []
    for _ in range(turns):
        found = (
            [each.collect(report.demand, host.version, host.weights) for each in hosts] if report.demand.amount else []
        )
        report = host.turn([(each.arrays, each.summary) for each in found], 20)
        updates.append(report.progress.updates)
    return learner, host, collectors, updates


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_what_is_drawn_from_the_replay_is_what_happened(tmp_path, mode):
    _, agent = make(tmp_path, f"env.parameters={{mode: {mode}, noise: 0.0}}", "agent.collect_steps=25")
    learner, *_ = run(agent, 2)
    batch = learner.replay.draw(500, np.random.default_rng(0))
    moved = batch.observations["policy"] + 0.5 * np.clip(batch.actions, -1, 1)
    assert batch.next_observations["policy"] == pytest.approx(moved, abs=1e-5)
    assert batch.rewards == pytest.approx(-(moved[:, 0] ** 2), abs=1e-4)
    assert batch.discounts == pytest.approx(0.99), "Drift never terminates; what follows after its end counts"
    assert learner.progress().episodes >= 4


def test_updates_keep_to_the_ratio_and_begin_after_the_random_steps(tmp_path):
    _, agent = make(tmp_path)
    learner, host, _, updates = run(agent, 5)
    steps = learner.progress().amount
    assert updates[0] == 0 or steps > 20
    assert updates[-1] == (steps - 20) // 2 > 10
    assert host.weights["acts_at_random"] == False  # noqa: E712  (an array)


def test_first_actions_are_even_and_later_ones_the_policys(tmp_path):
    _, agent = make(tmp_path, "agent.collect_steps=200", "agent.num_envs=2", "agent.replay.capacity=1000")
    learner = agent.make_learner(inline=True)
    collector = agent.make_collector(0, 1)
    collector.set_weights(1, learner.publish())
    actions = collector.collect(learner.demand()).arrays["actions"]
    assert np.abs(actions).max() > 0.98 and np.abs(actions.mean()) < 0.1
    learner.trainer.model.actor.acts_at_random.fill_(False)
    with torch.no_grad():
        learner.trainer.model.actor.layers[-1].bias.copy_(torch.tensor([1.0, -20.0]))
    collector.set_weights(2, learner.publish())
    actions = collector.collect(learner.demand()).arrays["actions"]
    assert np.median(actions) == pytest.approx(np.tanh(1.0), abs=0.02)


def test_what_is_privileged_changes_the_value_and_not_the_policy():
    spec = EnvSpec("arm", {"policy": Observed((2,)), "privileged": Observed((3,))}, Continuous((1,), (-1.0,), (1.0,)))
    model = SacModel(spec, SacConfig(id="sac"))
    shown = {"policy": torch.ones(4, 2), "privileged": torch.ones(4, 3)}
    zeroed = shown | {"privileged": torch.zeros(4, 3)}
    assert torch.equal(model.actor.distribution(shown).mode(), model.actor.distribution(zeroed).mode())
    one, two = (model.critics(torch.cat([model.features(each, []), torch.zeros(4, 1)], 1)) for each in (shown, zeroed))
    assert not torch.equal(one, two)
    policy = SacPolicy(SacConfig(id="sac"), spec, model.actor.published())
    assert policy.act({"policy": np.ones((4, 2), np.float32)}).shape == (4, 1)


@pytest.mark.parametrize("seen", [True, False])
def test_who_sees_pictures_trains_the_encoder(tmp_path, seen):
    _, agent = make(
        tmp_path,
        f"env={{id: '{CAMERA_TASK}', parameters: {{pixels: 16, frame_stack: 2, action_repeat: 8}}}}",
        f"agent.critic_pictures={str(seen).lower()}",
        "agent.network.channels=[4]",
        "agent.training.actor_every=1000",  # so critics alone are trained
    )
    learner = agent.make_learner(inline=True)
    before = learner.publish()
    learner_after, *_ = run(agent, 3)
    after = learner_after.trainer.model.actor.published()
    changed = {name for name in before if not np.array_equal(before[name], after[name])} - {"acts_at_random"}
    assert all(name.startswith("encoders.") for name in changed)
    assert bool(changed) == seen
    assert learner_after.trainer.model.shares_encoder == seen


def test_steps_that_are_not_finite_are_skipped_their_batch_is_kept_and_too_many_end_the_run(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _, agent = make(tmp_path)
    learner, *_ = run(agent, 2)
    learner.update(1000)
    before = learner.publish()
    learner.replay._rings["rewards"][:] = np.nan
    batch = learner.replay.draw(8, np.random.default_rng(0))
    with caplog.at_level(logging.WARNING):
        learner.trainer.update(batch)
    assert learner.trainer.skipped.num_skipped == 1 and "the step is skipped" in caplog.text
    assert all((before[name] == array).all() for name, array in learner.publish().items())
    (kept,) = tmp_path.glob("rlplat-*/batch.safetensors")
    from rlplat.runs.arrays import load_arrays

    assert np.isnan(load_arrays(kept)["rewards"]).all()
    with pytest.raises(DivergedError, match=r"after 10 skipped steps in a row. Lower agent.training.learning_rate"):
        for _ in range(10):
            learner.trainer.update(batch)


def test_a_learner_that_was_saved_goes_on_bit_by_bit(tmp_path):
    _, agent = make(tmp_path, "agent.normalise_observations=true")
    learner, _, collectors, _ = run(agent, 3)
    again = agent.make_learner(inline=True)
    (tmp_path / "saved").mkdir()
    learner.save(tmp_path / "saved")
    again.load(tmp_path / "saved")
    assert again.progress() == learner.progress()
    collected = collectors[0].collect(learner.demand())

    def learn(one: SacLearner) -> Arrays:
        one.ingest(collected.arrays, collected.summary)
        assert one.update(20)
        return one.publish()

    one, two = learn(learner), learn(again)
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    (tmp_path / "saved" / "learner.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot continue from this checkpoint"):
        again.load(tmp_path / "saved")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("env.id=tictactoe", "learns tasks; env.id is tictactoe, a game: take alphazero"),
        ("env.id=CartPole-v1", r"agent.id is 'sac', and the actions of CartPole-v1 are whole numbers: take ppo"),
        ("agent.num_envs=1", r"agent.num_envs is 1, and placement.num_actors 2: each actor needs an environment"),
    ],
)
def test_what_sac_cannot_do_is_told(tmp_path, override, message):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, override)


def test_a_replay_that_does_not_fit_is_refused_before_anything_is_made(tmp_path, caplog):
    _, agent = make(tmp_path, "agent.replay.capacity=1000000000000")
    with pytest.raises(
        ConfigError, match=r"agent.replay.capacity is 1000000000000: .* take [\d.]+ GB, and this machine"
    ):
        agent.make_learner(inline=True)
    _, agent = make(tmp_path)
    with caplog.at_level(logging.INFO):
        agent.make_learner(inline=True)
    assert "the replay of 200 steps takes 0.00 GB" in caplog.text


def test_stacks_that_are_drawn_are_those_that_the_environment_showed(tmp_path):
    _, agent = make(
        tmp_path,
        f"env={{id: '{CAMERA_TASK}', parameters: {{pixels: 16, frame_stack: 3, action_repeat: 50}}}}",
        "agent.num_envs=2",
        "agent.collect_steps=50",
        "agent.replay.min_steps=1000",
        "placement.num_actors=1",
    )
    learner, collector = agent.make_learner(inline=True), agent.make_collector(0, 1)
    collector.set_weights(1, learner.publish())
    shown: dict[bytes, set[bytes]] = {}
    act = collector._act

    def watched(observations: Arrays):
        for state, stack in zip(observations["privileged"], observations["policy/camera"], strict=True):
            shown.setdefault(state.tobytes(), set()).add(stack.tobytes())
        return act(observations)

    collector._act = watched
    for _ in range(3):
        collected = collector.collect(learner.demand())
        learner.ingest(collected.arrays, collected.summary)
    batch = learner.replay.draw(300, np.random.default_rng(0))
    for state, stack in zip(batch.observations["privileged"], batch.observations["policy/camera"], strict=True):
        assert np.ascontiguousarray(stack).tobytes() in shown[state.tobytes()]
