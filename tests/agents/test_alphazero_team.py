"""A learner of two processes is the learner of one: same losses, same weights, same checkpoints."""

from __future__ import annotations

import numpy as np
import psutil
import pytest
import torch
from teams import team_of
from test_alphazero_learner import GAME, ingest, make_config
from torch import nn

from agents.alphazero.agent import AlphaZero
from agents.alphazero.config import AlphaZeroConfig
from agents.alphazero.learner import AlphaZeroLearner, follow
from agents.alphazero.whole_batch_norm import WholeBatchNorm
from rlplat.config import EnvConfig, PlacementConfig, RunConfig, TrainingConfig
from rlplat.errors import ConfigError
from rlplat.interfaces import TeamAgent

# SGD: what AdamW makes of gradients that are nearly zero depends on their last bits.
CONFIG = make_config({"blocks": 1, "channels": 8}, {"batch_size": 32, "max_gradient_norm": 0.5, "ema_decay": 0.9})
SEED = 3


def make_learner(config: AlphaZeroConfig = CONFIG, team=None) -> AlphaZeroLearner:
    return AlphaZeroLearner(config, GAME, seed=SEED, device="cpu", num_threads=1, synchronous=True, team=team)


def work(team, config: AlphaZeroConfig) -> None:
    """What a follower of a run does; its own seed must not matter."""
    follow(config, GAME, team, seed=SEED + 1, device="cpu", num_threads=1)


def normalise(team) -> None:
    """The follower's part of the test of batch normalisation."""
    rows, gradients = halves()[0][team.rank], halves()[1][team.rank]
    norm = make_norm(WholeBatchNorm, team)
    norm(rows.requires_grad_()).backward(gradients)
    team.hear()


def halves() -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)
    x, gradients = torch.randn(2, 12, 3, 4, 5, generator=generator)
    x = 3 * x + torch.arange(12)[:, None, None, None]  # rows differ, so half the batch tells little of the whole
    return x.chunk(2), gradients.chunk(2)


def make_norm(kind: type, team=None) -> nn.Module:
    norm = nn.BatchNorm2d(3)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))
        norm.bias.copy_(torch.tensor([1.0, 0.0, -1.0]))
    return norm if team is None else kind(norm, team)


def test_batch_normalisation_in_two_processes_is_that_of_the_whole_batch():
    rows, gradients = halves()
    whole = torch.cat(rows).requires_grad_()
    expected = make_norm(nn.BatchNorm2d)
    output = expected(whole)
    output.backward(torch.cat(gradients))
    with team_of(2, normalise) as team:
        norm = make_norm(WholeBatchNorm, team)
        share = rows[0].clone().requires_grad_()
        found = norm(share)
        found.backward(gradients[0])
    assert torch.allclose(found, output[:6], atol=1e-5)
    assert torch.allclose(share.grad, whole.grad[:6], atol=1e-5)
    for name, buffer in expected.named_buffers():
        assert torch.allclose(norm.get_buffer(name), buffer, rtol=1e-5), name
    alone = nn.BatchNorm2d(3)(rows[0])
    assert not torch.allclose(alone, nn.BatchNorm2d(3)(whole)[:6], atol=0.1), "half a batch must tell another tale"
    norm.eval(), expected.eval()
    assert torch.allclose(norm(rows[1]), expected(rows[1]), atol=1e-5)


def learned(metrics):
    """Metrics without those of the clock."""
    return {name: value for name, value in metrics.items() if not name.startswith("timing/")}


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "adamw", "learning_rate": 0.001}])
def test_two_processes_learn_what_one_learns_and_write_checkpoints_that_either_reads(tmp_path, optimizer):
    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update=optimizer)})
    one = make_learner(config)
    ingest(one)
    with team_of(2, work, config) as team:
        two = make_learner(config, team)
        ingest(two)
        expected, found = learned(one.update(6)), learned(two.update(6))
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
        assert_close(two.publish(), one.publish())
        # From one process's checkpoint on, in two, and the other way round.
        (tmp_path / "one").mkdir(), (tmp_path / "two").mkdir()
        one.save(tmp_path / "one"), two.save(tmp_path / "two")
        two.load(tmp_path / "one")
        one_again = make_learner(config)
        one_again.load(tmp_path / "two")
        one.load(tmp_path / "one")
        assert learned(two.update(4)) == pytest.approx(learned(one.update(4)), rel=1e-3, abs=1e-5)
        one_again.update(4)
    for learner in (two, one_again):
        assert_close(learner.publish(), one.publish())
        assert (learner.progress().updates, learner.progress().owed) == (10, one.progress().owed)


def assert_close(found, expected) -> None:
    for name, array in expected.items():
        scale = max(1e-3, float(np.abs(array).max()))
        assert np.abs(found[name] - array).max() <= 2e-3 * scale, name


def test_an_update_that_is_not_finite_in_one_share_is_skipped_by_all():
    config = make_config(training={"value_target_mix": 1.0})
    with team_of(2, work, config) as team:
        learner = make_learner(config, team)
        ingest(learner)
        learner.update(2)
        before = {name: tensor.clone() for name, tensor in learner._trainer.state().items()}
        batch = learner._replay.draw(32, np.random.default_rng(0))
        batch.root_value[-1] = np.nan  # in the follower's share
        learner._trainer.update(batch)
        after = learner._trainer.state()
        assert all(torch.equal(after[name], before[name]) for name in before)
        metrics = learner.update(1)
        assert metrics["optimizer/skipped_updates"] == 1
        assert np.isfinite(metrics["loss/total"])
    assert learner.progress().updates == 4


def test_the_team_listens_on_its_address_alone():
    with team_of(2, work, CONFIG):
        process = psutil.Process()
        listening = [
            connection.laddr.ip
            for each in (process, *process.children(recursive=True))
            for connection in each.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_a_batch_that_cannot_be_shared_out_evenly_is_refused():
    def make(num_learners: int) -> AlphaZero:
        placement = PlacementConfig(num_learners=num_learners)
        run = TrainingConfig(max_updates=1)
        config = RunConfig(name="x", env=EnvConfig(id="x"), agent=CONFIG, training=run, placement=placement)
        return AlphaZero(config, GAME)

    assert isinstance(make(2), TeamAgent)
    for number in (3, 32):
        with pytest.raises(ConfigError, match=rf"batch_size is 32, .* multiple of placement.num_learners = {number} "):
            make(number)
