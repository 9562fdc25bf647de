"""PPO's collector, learner and policy on small tasks."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.visuomotor.ppo.agent import Ppo
from agents.visuomotor.ppo.collector import PpoCollector
from agents.visuomotor.ppo.config import PpoConfig
from agents.visuomotor.ppo.learner import PpoLearner
from agents.visuomotor.ppo.model import ActorCritic
from agents.visuomotor.ppo.policy import PpoPolicy
from agents.visuomotor.ppo.rollouts import Rollouts
from rlplat.config import RunConfig, load_config
from rlplat.errors import CheckpointError, ConfigError, DivergedError
from rlplat.interfaces import Arrays, Continuous, EnvSpec, Observed, Summary
from rlplat.training.build import build
from rlplat.training.hosts import CollectorHost, LearnerHost

TINY = """\
env: {id: "toy_tasks:toys/Drift-v0"}
agent:
  id: ppo
  num_envs: 4
  num_steps: 12
  network: {hidden: [16]}
  training: {num_epochs: 2, batch_size: 16}
training: {max_updates: 6}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""


def make(tmp_path: Path, *overrides: str) -> tuple[RunConfig, Ppo]:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    config = load_config(path, overrides, trust=["toy_tasks"])
    agent = build(config, trust=["toy_tasks"]).agent
    assert isinstance(agent, Ppo)
    return config, agent


def collect(agent: Ppo, learner: PpoLearner, index: int = 0) -> tuple[PpoCollector, Arrays, Summary]:
    collector = agent.make_collector(index, 2)
    collector.set_weights(1, learner.publish())
    collected = collector.collect(learner.demand())
    return collector, collected.arrays, collected.summary


BENCH = (
    "env={id: envs.farm:rlplat/GreenhouseSpacing-v0, parameters: {action: operations, observation: classes,"
    " num_rows: 2, num_columns: 3, num_days: 10, robot: {num_operations: 4}}}"
)


def test_several_choices_at_a_time_are_learned_within_their_mask(tmp_path):
    _, agent = make(tmp_path, BENCH, "agent.num_steps=22")
    learner = agent.make_learner(inline=True)
    for _ in range(3):
        rollouts = [collect(agent, learner, index) for index in (0, 1)]
        for index, (_, arrays, summary) in enumerate(rollouts):
            assert arrays["actions"].shape == (22, 2, 8)
            allowed = arrays["observations/action_mask"][:-1].reshape(22, 2, 1, 15)
            sources, targets = arrays["actions"][..., ::2], arrays["actions"][..., 1::2]
            assert np.take_along_axis(np.tile(allowed, (4, 1)), sources[..., None], 3).all()
            assert np.take_along_axis(np.tile(allowed, (4, 1)), 8 + targets[..., None], 3).all()
            learner.ingest(arrays, dataclasses.replace(summary, collector=index))
        metrics = learner.update(1)
    assert metrics["policy/entropy"] > 0 and np.isfinite(metrics["loss/total"])
    policy = agent.make_policy(learner.publish(), num_simulations=None, seed=0)
    assert policy.act({name: array[0] for name, array in observed(rollouts[0][1]).items()}).shape == (2, 4, 2)


def observed(arrays: Arrays) -> Arrays:
    return {name.removeprefix("observations/"): array for name, array in arrays.items() if "observations/" in name}


@pytest.mark.parametrize("agent", ["sac", "guided_policy"])
def test_other_agents_refuse_several_choices(tmp_path, agent):
    path = tmp_path / "other.yaml"
    path.write_text(f"agent: {{id: {agent}}}\ntraining: {{max_updates: 1}}\nplacement: {{num_actors: 1}}\n")
    with pytest.raises(ConfigError, match=r"(whole numbers|several choices): take ppo"):
        build(load_config(path, [BENCH]))


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_rollout_holds_what_happened(tmp_path, mode):
    _, agent = make(tmp_path, "agent.num_steps=50", f"env.parameters={{mode: {mode}, noise: 0.0}}")
    learner = agent.make_learner(inline=True)
    _, arrays, summary = collect(agent, learner)
    counts, ended = arrays["counts"], arrays["terminated"] | arrays["truncated"]
    assert counts.shape == (50, 2) and summary.amount == counts.sum()
    assert summary.episodes == ended.sum() == len(arrays["last/policy"]) > 0
    points = arrays["observations/policy"][..., 0]
    moved = points[:-1] + 0.5 * np.clip(arrays["actions"][..., 0], -1, 1)
    goes_on = counts & ~ended
    assert points[1:][goes_on] == pytest.approx(moved[goes_on], abs=1e-5)
    assert arrays["last/policy"][:, 0] == pytest.approx(moved[ended], abs=1e-5)
    assert arrays["rewards"][counts] == pytest.approx(-(moved[counts] ** 2), abs=1e-4)
    assert not arrays["rewards"][~counts].any()
    # The discounted return begins anew with every episode.
    running = np.zeros(2)
    for t in range(50):
        running = np.where(counts[t], 0.99 * running + arrays["rewards"][t], 0.0)
        assert arrays["discounted"][t] == pytest.approx(running)
        running[ended[t]] = 0.0


def test_a_round_is_one_update_and_the_first_one_serves_to_normalise(tmp_path):
    _, agent = make(tmp_path)
    host = LearnerHost(agent.make_learner(inline=True))
    report = host.start(None, None)
    collectors = [CollectorHost(agent.make_collector(index, 2), index) for index in range(2)]
    assert report.demand.synchronous and report.demand.amount == 24
    found, amount = [], 0
    for _ in range(3):
        collected = [each.collect(report.demand, host.version, host.weights) for each in collectors]
        report = host.turn([(each.arrays, each.summary) for each in collected], 20)
        found.append(report.metrics)
        amount += sum(each.summary.amount for each in collected)
    progress = report.progress
    assert (progress.updates, progress.amount, progress.version) == (3, amount, 4)
    assert found[0] == {} and {"loss/policy", "policy/kl", "value/explained_variance"} <= set(found[2])
    assert host.weights["observations.parts.policy.count"] == amount < 3 * 48, "steps that only reset do not count"


def test_what_is_privileged_changes_the_value_and_not_the_policy(tmp_path):
    _, agent = make(tmp_path, "env.id=toy_tasks:toys/Count-v0")
    learner = agent.make_learner(inline=True)
    _, arrays, _ = collect(agent, learner)
    shown = {name.removeprefix("observations/"): array[0] for name, array in arrays.items() if name[:4] == "obse"}
    blind = {name: array for name, array in shown.items() if name != "privileged"}
    policy = agent.make_policy(learner.publish(), num_simulations=None, seed=0)
    assert policy.act(shown).tolist() == policy.act(blind).tolist()
    zeroed = shown | {"privileged": np.zeros_like(shown["privileged"])}
    assert learner.trainer.values(shown).tolist() != learner.trainer.values(zeroed).tolist()


def test_forbidden_actions_are_never_taken(tmp_path):
    _, agent = make(tmp_path, "env.id=toy_tasks:toys/Count-v0", "agent.num_steps=200")
    learner = agent.make_learner(inline=True)
    _, arrays, _ = collect(agent, learner)
    assert set(np.unique(arrays["actions"])) == {1, 2}  # the mask of Count forbids action 0
    batch, _ = learner.trainer.prepare(Rollouts.of(arrays))
    assert batch["old_log_prob"].isfinite().all()


def test_steps_that_are_not_finite_are_skipped_and_too_many_of_them_end_the_run(tmp_path):
    _, agent = make(tmp_path, "agent.normalise_observations=false", "agent.normalise_rewards=false")
    learner = agent.make_learner(inline=True)
    _, arrays, summary = collect(agent, learner)
    before = learner.publish()
    arrays["rewards"][:] = np.nan
    learner.ingest(arrays, summary)
    metrics = learner.update(1)
    assert metrics["optimizer/skipped_steps"] == 4  # 2 epochs of 2 minibatches
    assert all((before[name] == array).all() for name, array in learner.publish().items() if "layers" in name)
    with pytest.raises(DivergedError, match=r"after 10 skipped steps in a row. Lower agent.training.learning_rate"):
        for _ in range(3):
            learner.ingest(arrays, summary)
            learner.update(1)


def test_a_learner_that_was_saved_goes_on_bit_by_bit(tmp_path):
    _, agent = make(tmp_path, "agent.normalise_observations=false")
    learner, again = agent.make_learner(inline=True), agent.make_learner(inline=True)
    _, arrays, summary = collect(agent, learner)

    def learn(one: PpoLearner) -> Arrays:
        one.ingest(arrays, summary)
        one.update(1)
        return one.publish()

    learn(learner)
    (tmp_path / "saved").mkdir()
    learner.save(tmp_path / "saved")
    again.load(tmp_path / "saved")
    assert again.progress() == learner.progress()
    one, two = learn(learner), learn(again)
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    (tmp_path / "saved" / "learner.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot continue from this checkpoint"):
        again.load(tmp_path / "saved")


def test_weights_of_another_environment_are_refused(tmp_path):
    config, agent = make(tmp_path)
    _, other = make(tmp_path, "env.id=toy_tasks:toys/Count-v0")
    weights = other.make_learner(inline=True).publish()
    with pytest.raises(CheckpointError, match="do not fit the configuration's network and environment"):
        agent.make_policy(weights, num_simulations=None, seed=0)
    assert isinstance(other.make_policy(weights, num_simulations=None, seed=0), PpoPolicy)
    assert config.agent.id == "ppo"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("env.id=tictactoe", "learns tasks; env.id is tictactoe, a game: take alphazero"),
        ("agent.num_envs=1", r"agent.num_envs is 1, and placement.num_actors 2: each actor needs an environment"),
        (
            "env={id: envs.robots:rlplat/CartpoleBalance-v0, parameters: {pixels: 16, privileged: false}}",
            "agent.critic_pictures is false, and .*CartpoleBalance-v0 shows nothing but pictures",
        ),
    ],
)
def test_what_ppo_cannot_do_is_told(tmp_path, override, message):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, override, "agent.critic_pictures=false")


def test_pictures_are_seen_beside_numbers(tmp_path):
    import gymnasium as gym

    from agents.visuomotor.publishing import as_tensors
    from rlplat.environments.spaces import spec_of

    camera = gym.spaces.Box(0, 255, (16, 16, 3), np.uint8)
    parts = {"camera": camera, "joints": gym.spaces.Box(-1, 1, (4,))}
    space = gym.spaces.Dict({"policy": gym.spaces.Dict(parts), "privileged": gym.spaces.Box(-1, 1, (2,))})
    spec = spec_of("arm", space, gym.spaces.Box(-1, 1, (3,)))
    model = ActorCritic(spec, PpoConfig(id="ppo"))
    pictures = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    seen = {"policy/camera": pictures, "policy/joints": np.zeros((5, 4), np.float32)}
    assert model.distribution(as_tensors(seen)).mode().shape == (5, 3)
    other = seen | {"policy/camera": np.zeros_like(pictures)}
    assert not np.allclose(
        model.distribution(as_tensors(seen)).mode().detach(), model.distribution(as_tensors(other)).mode().detach()
    )
    assert model.values(as_tensors(seen | {"privileged": np.ones((5, 2), np.float32)})).shape == (5,)


@pytest.mark.parametrize(("wanted", "seen"), [(None, False), (False, False), (True, True)])
def test_the_critic_sees_pictures_beside_what_is_privileged_only_if_asked_to(wanted, seen):
    camera, state = Observed((16, 16, 3), "uint8"), Observed((2,))
    spec = EnvSpec("arm", {"policy": camera, "privileged": state}, Continuous((1,), (-1.0,), (1.0,)))
    model = ActorCritic(spec, PpoConfig(id="ppo", critic_pictures=wanted))
    shown = {"policy": torch.full((4, 16, 16, 3), 200, dtype=torch.uint8), "privileged": torch.ones(4, 2)}
    black = shown | {"policy": torch.zeros_like(shown["policy"])}
    assert torch.equal(model.values(shown), model.values(black)) != seen
    assert not torch.equal(model.distribution(shown).mode(), model.distribution(black).mode())


def test_a_critic_of_nothing_but_pictures_sees_them():
    spec = EnvSpec("arm", {"policy": Observed((16, 16, 3), "uint8")}, Continuous((1,), (-1.0,), (1.0,)))
    assert ActorCritic(spec, PpoConfig(id="ppo")).critic.num_features > 0


def test_at_first_the_critic_learns_alone_if_asked_for(tmp_path):
    _, agent = make(tmp_path, "agent.training.critic_updates=2", "agent.training.entropy_weight=0.1")
    learner = agent.make_learner(inline=True)
    made = [learner.publish()]
    for _ in range(3):
        _, arrays, summary = collect(agent, learner)
        learner.ingest(arrays, summary)
        learner.update(1)
        made.append(learner.publish())
    actors, critics = ([[w[n] for n in w if n.startswith(part)] for w in made] for part in ("actor", "critic"))
    changed = [
        [any((a != b).any() for a, b in zip(before, after, strict=True)) for before, after in pairwise(of)]
        for of in (actors, critics)
    ]
    assert changed == [[False, False, True], [False, True, True]], "the first round serves to normalise"
    steps = {
        part: {int(learner.trainer.optimizer.state[parameter]["step"]) for parameter in network.parameters()}
        for part, network in (("actor", learner.trainer.model.actor), ("critic", learner.trainer.model.critic))
    }
    (actor,), (critic,) = steps["actor"], steps["critic"]
    assert critic == 2 * actor > 0, "Adam knows nothing of an actor that has not learned"
