import json

import numpy as np
import pytest
import safetensors.numpy
import torch

from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from agents.alphazero.learner import AlphaZeroLearner
from envs.games.connect_four import connect_four
from envs.games.tictactoe import tictactoe
from rlplat.errors import CheckpointError, DivergedError
from rlplat.interfaces import Learner, Summary
from rlplat.testing.records import random_records

GAME = connect_four.load()
METRICS = {
    *("loss/policy", "loss/value", "loss/total"),
    *("policy/entropy", "policy/target_entropy", "policy/kl", "policy/accuracy"),
    *("value/error", "value/constant_error"),
    *("optimizer/learning_rate", "optimizer/gradient_norm", "optimizer/skipped_updates"),
    *("replay/positions", "replay/games", "replay/window", "replay/ratio"),
    *("self_play/repeated_noise", "timing/draw"),
}


def make_config(network=None, training=None, replay=None):
    return AlphaZeroConfig.model_validate(
        {
            "id": "alphazero",
            "network": {"blocks": 1, "channels": 8} | (network or {}),
            "training": {"batch_size": 32, "samples_per_position": 1.0, "warmup_updates": 5, "publish_every": 10}
            | (training or {}),
            "replay": {"min_positions": 200, "window_start": 400, "max_positions": 4000} | (replay or {}),
        }
    )


def make_learner(config=None, *, game=GAME, seed=0, synchronous=True):
    return AlphaZeroLearner(
        config or make_config(), game, seed=seed, device="cpu", num_threads=1, synchronous=synchronous
    )


def ingest(learner, num_games=40, seed=0, game=GAME, **changed):
    arrays = random_records(game, num_games=num_games, seed=seed, opening_plies=2) | changed
    summary = Summary(amount=len(arrays["action"]), episodes=num_games, weights_version=0, seconds=1.0)
    learner.ingest(arrays, summary)
    return int(np.count_nonzero(arrays["num_legal"]))


def fingerprint(learner):
    return {name: tensor.numpy().tobytes() for name, tensor in learner._trainer.state().items()}


def run(learner, rounds):
    for number in rounds:
        ingest(learner, num_games=15, seed=number)
        learner.update(10**9)
        if learner.publish_due():
            learner.publish()


def test_it_fulfils_the_contract_and_names_its_metrics():
    learner = make_learner()
    assert isinstance(learner, Learner)
    assert learner.update(10) == {}
    amount = ingest(learner)
    metrics = learner.update(5)
    assert set(metrics) == METRICS
    assert all(np.isfinite(value) for value in metrics.values())
    progress = learner.progress()
    assert (progress.updates, progress.amount, progress.episodes, progress.version) == (5, amount, 40, 0)
    assert progress.owed == (amount - 200) // 32 - 5


def test_it_learns_its_replay_by_heart():
    training = {"samples_per_position": 100.0, "optimizer": "adamw", "learning_rate": 0.003}
    learner = make_learner(make_config(training=training, replay={"min_positions": 50}))
    ingest(learner, num_games=12)
    before = learner.update(10)
    for _ in range(5):
        after = learner.update(80)
    assert after["value/error"] < 0.5 * before["value/error"]
    assert after["policy/kl"] < 0.6 * before["policy/kl"]


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"ema_decay": 0.0, "momentum": 0.0, "value_target_mix": 0.5},
        {"optimizer": "adamw", "lr_schedule": "cosine", "lr_total_updates": 30},
    ],
)
@pytest.mark.parametrize("head", ["scalar", "wdl"])
def test_a_resumed_learner_equals_the_unbroken_one_bit_by_bit(tmp_path, training, head):
    config = make_config({"value_head": head}, training)
    unbroken, broken = make_learner(config), make_learner(config)
    run(unbroken, range(4))
    run(broken, range(2))
    broken.save(tmp_path)
    resumed = make_learner(config, seed=77)
    resumed.load(tmp_path)
    assert fingerprint(resumed) == fingerprint(broken)
    run(resumed, range(2, 4))
    assert unbroken.progress().updates > 20 > broken.progress().updates > 5
    assert fingerprint(resumed) == fingerprint(unbroken)
    assert resumed.progress() == unbroken.progress()
    weights = resumed.publish(), unbroken.publish()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[1])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    learners = [make_learner(seed=seed) for seed in (1, 1, 2)]
    for learner in learners:
        run(learner, range(2))
    one, same, other = map(fingerprint, learners)
    assert one == same
    assert one != other


def test_collectors_wait_for_a_synchronous_learner_until_nothing_is_owed():
    learner = make_learner(synchronous=True)
    assert learner.demand().amount == make_config().self_play.collect_positions
    assert learner.demand().synchronous
    ingest(learner)
    assert learner.demand().amount == 0
    learner.update(learner.progress().owed)
    assert learner.demand().amount > 0


def test_collectors_wait_for_an_asynchronous_learner_only_when_it_is_far_behind():
    learner = make_learner(make_config(training={"max_owed_updates": 10}), synchronous=False)
    ingest(learner)
    assert 0 < 10 <= learner.progress().owed
    assert learner.demand().amount == 0
    learner.update(learner.progress().owed - 9)
    assert learner.progress().owed == 9
    assert learner.demand().amount > 0
    assert not learner.demand().synchronous


def test_the_window_grows_with_the_run():
    learner = make_learner()
    amount = 0
    for number in range(6):
        amount += ingest(learner, num_games=100, seed=number)
    expected = make_config().replay.window(amount)
    metrics = learner.update(1)
    assert 400 < expected < amount
    assert metrics["replay/window"] == expected
    assert expected - GAME.max_length < metrics["replay/positions"] <= expected


def test_weights_are_published_first_at_once_and_then_by_updates():
    learner = make_learner()
    assert learner.publish_due()
    learner.publish()
    assert (learner.progress().version, learner.publish_due()) == (1, False)
    ingest(learner)
    learner.update(9)
    assert not learner.publish_due()
    learner.update(1)
    assert learner.publish_due()


def test_a_resumed_learner_publishes_when_the_unbroken_one_would(tmp_path):
    learner, resumed = make_learner(), make_learner()
    ingest(learner)
    learner.update(10)
    learner.publish()
    learner.save(tmp_path)
    resumed.load(tmp_path)
    assert resumed.progress().version == 1
    assert not resumed.publish_due()


def test_published_weights_are_the_moving_average_and_play():
    newest, average = (make_learner(make_config(training={"ema_decay": decay})) for decay in (0.0, 0.9))
    for learner in (newest, average):
        run(learner, range(2))
    weights = average.publish()
    assert not np.array_equal(weights["stem.convolution.weight"], newest.publish()["stem.convolution.weight"])
    evaluator = CpuEvaluator(GAME.spec, make_config().network, weights, batch_size=1)
    logits, values = evaluator.evaluate(GAME.initial_state().planes()[None])
    assert np.isfinite(logits).all()
    assert -1 <= values[0] <= 1


def test_the_moving_average_by_hand():
    learner = make_learner(make_config(training={"ema_decay": 0.15}))
    trainer = learner._trainer
    name = "policy_head.output.weight"
    expected = trainer._newest[name].clone()
    ingest(learner)
    for decay in (0.1, 0.15, 0.15):  # (1 + n) / (10 + n) at update n = 0, then the configured decay
        learner.update(1)
        expected = decay * expected + (1 - decay) * trainer._newest[name]
    published = learner.publish()
    assert np.allclose(published[name], expected.numpy(), atol=1e-7)
    statistics = "stem.norm.running_mean"
    assert np.array_equal(published[statistics], trainer._newest[statistics].numpy())


def test_weight_decay_spares_biases_and_batch_norm():
    groups = make_learner(make_config(training={"weight_decay": 0.01}))._trainer._optimizer.param_groups
    decay = {parameter.ndim > 1: group["weight_decay"] for group in groups for parameter in group["params"]}
    assert decay == {True: 0.01, False: 0.0}


def test_gradients_are_clipped_to_the_limit():
    learner = make_learner(make_config(training={"max_gradient_norm": 1e-6, "momentum": 0.0, "weight_decay": 0.0}))
    ingest(learner)
    parameters = [parameter.clone() for parameter in learner._trainer._network.parameters()]
    metrics = learner.update(1)
    moved = torch.stack(
        [(a - b).norm() for a, b in zip(learner._trainer._network.parameters(), parameters, strict=True)]
    )
    assert metrics["optimizer/gradient_norm"] > 1e-3
    assert moved.norm() <= 1.01 * 1e-6 * metrics["optimizer/learning_rate"]


def test_updates_that_are_not_finite_change_nothing_and_are_counted():
    learner = make_learner(make_config(training={"value_target_mix": 1.0}))
    ingest(
        learner, root_value=np.full(len(random_records(GAME, num_games=40, seed=0, opening_plies=2)["action"]), np.nan)
    )
    before = fingerprint(learner)
    metrics = learner.update(9)
    assert metrics["optimizer/skipped_updates"] == 9
    assert "loss/total" not in metrics
    assert fingerprint(learner) == before
    assert learner.progress().updates == 9
    with pytest.raises(DivergedError, match=r"10 updates in a row were skipped: loss nan.*learning_rate"):
        learner.update(1)


def test_a_good_update_ends_a_row_of_skipped_ones():
    learner = make_learner(make_config(training={"value_target_mix": 1.0}))
    ingest(learner)
    root_values = learner._replay._rings["root_value"]
    for value, num_updates in ((np.nan, 6), (0.5, 1), (np.nan, 6)):
        root_values[:] = value
        metrics = learner.update(num_updates)
    assert metrics["optimizer/skipped_updates"] == 12


def test_weights_of_another_run_are_a_start():
    teacher, pupil = make_learner(seed=1), make_learner(seed=2)
    run(teacher, range(2))
    weights = teacher.publish()
    pupil.initialise(weights)
    published = pupil.publish()
    assert all(np.array_equal(published[name], weights[name]) for name in weights)
    assert pupil.progress().updates == 0


def test_weights_of_another_network_or_game_are_no_start():
    with pytest.raises(CheckpointError, match=r"--init-from: .*another network or game"):
        make_learner().initialise(make_learner(make_config({"channels": 16})).publish())
    with pytest.raises(CheckpointError, match="another network or game"):
        make_learner().initialise(make_learner(game=tictactoe.load()).publish())


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"game": tictactoe.load()}, "made with game connect_four, the configuration has tictactoe"),
        ({"game": connect_four.load(line=3)}, "made with parameters .*'line': 4.*'line': 3"),
        ({"config": make_config({"blocks": 2})}, "made with network .*'blocks': 1.*'blocks': 2"),
        ({"config": make_config(training={"optimizer": "adamw"})}, r"momentum_buffer.*agent\.training\.optimizer"),
        ({"config": make_config(replay={"max_positions": 400})}, "do not fit into a replay of 400"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_the_reason(tmp_path, other, message):
    learner = make_learner()
    ingest(learner)
    ingest(learner, seed=1)
    learner.update(3)
    learner.save(tmp_path)
    config, game = other.get("config"), other.get("game", GAME)
    with pytest.raises(CheckpointError, match=message):
        make_learner(config, game=game).load(tmp_path)


@pytest.mark.parametrize("file", ["model.safetensors", "replay.safetensors", "learner.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "pickle"])
def test_a_broken_checkpoint_is_refused_with_its_folder(tmp_path, file, damage):
    learner = make_learner()
    ingest(learner)
    learner.save(tmp_path)
    path = tmp_path / file
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"\x80\x04cos\nsystem\n.")
    with pytest.raises(CheckpointError, match=f"{tmp_path}: cannot continue from this checkpoint"):
        make_learner().load(tmp_path)


def test_a_checkpoint_is_json_and_safetensors_by_name(tmp_path):
    learner = make_learner()
    run(learner, range(2))
    learner.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "learner.json",
        "model.safetensors",
        "replay.safetensors",
    ]
    names = set(safetensors.numpy.load_file(tmp_path / "model.safetensors"))
    stem = "stem.convolution.weight"
    assert {f"network.{stem}", f"average.{stem}", f"optimizer.momentum_buffer.{stem}"} <= names
    assert json.loads((tmp_path / "learner.json").read_text())["num_updates"] == learner.progress().updates
