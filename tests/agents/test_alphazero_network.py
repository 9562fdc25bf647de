import math

import numpy as np
import pytest
import torch

from agents.alphazero.config import NetworkConfig, ReplayConfig, TrainingConfig
from agents.alphazero.losses import Targets, loss_terms, outcome_probabilities, root_probabilities
from agents.alphazero.network import Pooling, ResidualNetwork, initialise_network, to_arrays, values
from agents.alphazero.weights import check_weights, fold_batch_norm, weight_shapes
from rlplat.errors import CheckpointError, ConfigError
from rlplat.interfaces import board_spec

SPEC = board_spec("board", (2, 6, 7), 7)


def make_network(head="scalar", seed=0, randomised=True):
    """A small network; randomised: with outputs and statistics that differ from their initial zeros and ones."""
    network = ResidualNetwork(SPEC, NetworkConfig(blocks=2, channels=8, value_head=head))
    initialise_network(network, seed)
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items() if randomised else ():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(0.5 + noise if name.endswith("running_var") else tensor + 0.5 * noise - 0.25)
    return network.eval()


def observations(batch=5):
    return torch.rand((batch, *SPEC.observation_shape), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("head", ["scalar", "wdl"])
def test_values_lie_between_loss_and_win(head):
    logits, value_logits = make_network(head)(100 * observations())
    assert logits.shape == (5, 7)
    assert value_logits.shape == ((5,) if head == "scalar" else (5, 3))
    assert values(value_logits).shape == (5,)
    assert (values(value_logits).abs() <= 1).all()


def test_the_value_of_win_draw_and_loss_is_their_mean():
    logits = torch.tensor([[math.log(0.5), math.log(0.3), math.log(0.2)]])
    assert values(logits).item() == pytest.approx(0.5 - 0.2)


def test_global_pooling_tells_every_cell_of_the_whole_board_by_mean_and_maximum():
    pooling = Pooling(1, 1, folded=True)
    with torch.no_grad():
        for parameter, value in zip(pooling.parameters(), ([[[[2.0]]]], [1.0], [[3.0, 5.0]], [0.5]), strict=True):
            parameter.copy_(torch.tensor(value))
    board = torch.tensor([[[[-1.0, 0.0], [1.0, 2.0]]]])  # features 0 1 3 5: mean 2.25, maximum 5
    assert pooling(board).tolist() == [[[[3 * 2.25 + 5 * 5 + 0.5]]]]


def test_every_second_block_pools_with_published_names_and_folds():
    config = NetworkConfig(blocks=4, channels=8, pooling_channels=3)
    network, folded = (ResidualNetwork(SPEC, config, folded=each).eval() for each in (False, True))
    assert [block.pooling is not None for block in network.blocks] == [False, True, False, True]
    arrays = to_arrays(network.state_dict())
    assert {name: array.shape for name, array in arrays.items()} == weight_shapes(SPEC, config)
    folded.load_state_dict({name: torch.from_numpy(array) for name, array in fold_batch_norm(arrays).items()})
    for expected, found in zip(network(observations()), folded(observations()), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("head", ["scalar", "wdl"])
def test_folded_weights_evaluate_like_batch_norm(head):
    network = make_network(head)
    folded = ResidualNetwork(SPEC, NetworkConfig(blocks=2, channels=8, value_head=head), folded=True).eval()
    arrays = fold_batch_norm(to_arrays(network.state_dict()))
    folded.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    for expected, found in zip(network(observations()), folded(observations()), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_published_names_and_shapes_are_those_of_the_network():
    config = NetworkConfig(blocks=2, channels=8, value_head="wdl")
    arrays = to_arrays(make_network("wdl").state_dict())
    assert {name: array.shape for name, array in arrays.items()} == weight_shapes(SPEC, config)
    assert all(array.dtype == np.float32 for array in arrays.values())


def test_a_policy_of_planes_knows_each_move_by_its_cell_alone():
    spec, config = board_spec("board", (1, 3, 4), 24), NetworkConfig(blocks=0, channels=8, policy_head="planes")
    network = ResidualNetwork(spec, config)
    initialise_network(network, 0)
    torch.nn.init.normal_(network.policy_head.output.weight)
    board = torch.zeros(1, *spec.observation_shape)
    board[0, 0, 0, 0] = 1.0
    logits = network.eval()(board)[0].detach().view(2, 3, 4)
    assert logits[:, 1:3, 2:4].flatten(1).std(1).max() < 1e-6, "cells far from the stone look alike"
    assert logits.std() > 0.1
    assert {name: each.shape for name, each in to_arrays(network.state_dict()).items()} == weight_shapes(spec, config)


def test_actions_that_are_no_planes_are_refused_with_what_to_take():
    with pytest.raises(ConfigError, match=r"each of the 6x7 cells .*; board has 7: take 'layer'"):
        weight_shapes(SPEC, NetworkConfig(policy_head="planes"))


def test_published_arrays_do_not_follow_the_network():
    network = make_network()
    arrays = to_arrays(network.state_dict())
    before = arrays["stem.convolution.weight"].copy()
    with torch.no_grad():
        network.stem.convolution.weight.zero_()
    assert np.array_equal(arrays["stem.convolution.weight"], before)


def test_weights_of_another_network_are_refused_with_the_reason():
    arrays = to_arrays(make_network().state_dict())
    with pytest.raises(
        CheckpointError, match=r"run x: .*blocks\.1\.first\.convolution\.weight is not part .*\(and 7 more\)"
    ):
        check_weights(arrays, weight_shapes(SPEC, NetworkConfig(blocks=1, channels=8)), "run x")
    with pytest.raises(CheckpointError, match=r"has shape \[8, 2, 3, 3\], this network needs \[16, 2, 3, 3\]"):
        check_weights(arrays, weight_shapes(SPEC, NetworkConfig(blocks=2, channels=16)), "run x")


def test_the_seed_alone_decides_the_first_weights():
    torch.manual_seed(1)
    one = to_arrays(make_network(randomised=False).state_dict())
    torch.manual_seed(2)
    state = torch.get_rng_state()
    other = to_arrays(make_network(randomised=False).state_dict())
    another = to_arrays(make_network(seed=3, randomised=False).state_dict())
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not np.array_equal(one["stem.convolution.weight"], another["stem.convolution.weight"])
    initialise_network(make_network(), 5)
    assert torch.get_rng_state().shape == state.shape


def test_an_untrained_network_is_even_handed():
    logits, value_logits = make_network(randomised=False)(observations())
    assert not logits.any()
    assert not value_logits.any()


def targets(**changed):
    legal = torch.tensor([[True, True, False, True], [False, True, True, False]])
    policy = torch.tensor([[0.5, 0.25, 0.0, 0.25], [0.0, 1.0, 0.0, 0.0]])
    fields = {"outcome": torch.tensor([1.0, -1.0]), "root_value": torch.tensor([0.0, 0.5])}
    return Targets(policy, legal, **fields | changed)


def terms_of(logits, value_logits, mix=0.0, value_weight=1.0):
    terms = loss_terms(logits, value_logits, targets(), value_weight=value_weight, value_target_mix=mix)
    return {name: term.item() for name, term in terms.items()}


def test_losses_by_hand():
    terms = terms_of(torch.zeros(2, 4), torch.zeros(2), value_weight=0.5)
    assert terms["loss/policy"] == pytest.approx((math.log(3) + math.log(2)) / 2)
    assert terms["loss/value"] == pytest.approx(1.0)
    assert terms["loss/total"] == pytest.approx(terms["loss/policy"] + 0.5)
    assert terms["policy/entropy"] == pytest.approx((math.log(3) + math.log(2)) / 2)
    assert terms["policy/target_entropy"] == pytest.approx(1.5 * math.log(2) / 2)
    assert terms["policy/kl"] == pytest.approx(terms["loss/policy"] - terms["policy/target_entropy"])
    assert terms["value/error"] == pytest.approx(1.0)


def test_illegal_actions_weigh_nothing():
    logits = torch.zeros(2, 4, requires_grad=True)
    shouting = torch.zeros(2, 4)
    shouting[~targets().legal] = 50.0
    assert terms_of(shouting, torch.zeros(2)) == terms_of(torch.zeros(2, 4), torch.zeros(2))
    loss_terms(logits, torch.zeros(2), targets(), value_weight=1.0, value_target_mix=0.0)["loss/policy"].backward()
    assert not logits.grad[~targets().legal].any()
    assert torch.isfinite(logits.grad).all()


def test_the_policy_loss_is_least_at_the_target():
    at_target = torch.log(targets().policy + 1e-12)
    assert terms_of(at_target, torch.zeros(2))["policy/kl"] == pytest.approx(0.0, abs=1e-5)
    assert terms_of(at_target, torch.zeros(2))["policy/accuracy"] == 1.0


def test_the_value_target_mixes_outcome_and_root_value():
    perfect = torch.atanh(torch.tensor([0.75, -0.625]))  # 3/4 of (1, -1) and 1/4 of (0, 0.5)
    assert terms_of(torch.zeros(2, 4), perfect, mix=0.25)["loss/value"] == pytest.approx(0.0, abs=1e-12)


def test_outcomes_are_certain_and_root_values_keep_their_mean():
    outcome = torch.tensor([1.0, 0.0, -1.0])
    assert outcome_probabilities(outcome).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    root = root_probabilities(torch.tensor([0.5, 0.5, 0.5]), outcome)
    assert torch.allclose(root[:, 0] - root[:, 2], torch.tensor(0.5))
    assert torch.allclose(root.sum(1), torch.tensor(1.0))
    assert root[0, 1] == root[2, 1] == 0.0, "a game that ended decided is no draw"


def test_the_win_draw_loss_head_learns_the_outcome():
    sure = torch.tensor([[20.0, 0.0, 0.0], [0.0, 0.0, 20.0]])
    assert terms_of(torch.zeros(2, 4), sure)["loss/value"] == pytest.approx(0.0, abs=1e-6)
    assert terms_of(torch.zeros(2, 4), torch.zeros(2, 3))["loss/value"] == pytest.approx(math.log(3))


def test_the_learning_rate_warms_up_and_falls_by_updates():
    step = TrainingConfig(
        learning_rate=1.0, warmup_updates=4, lr_schedule="step", lr_step_updates=(10, 20), lr_step_factor=0.5
    )
    assert [round(step.learning_rate_at(u), 3) for u in (0, 3, 4, 9, 10, 19, 20)] == [0.2, 0.8, 1, 1, 0.5, 0.5, 0.25]
    cosine = TrainingConfig(
        learning_rate=1.0, warmup_updates=0, lr_schedule="cosine", lr_total_updates=100, lr_final_fraction=0.1
    )
    assert cosine.learning_rate_at(0) == 1.0
    assert cosine.learning_rate_at(50) == pytest.approx(0.55)
    assert cosine.learning_rate_at(100) == cosine.learning_rate_at(1000) == pytest.approx(0.1)


def test_the_window_keeps_everything_first_and_grows_more_slowly_then():
    config = ReplayConfig(min_positions=100, window_start=1000, max_positions=5000)
    assert config.window(0) == config.window(1000) == 1000
    assert config.window(16_000) == int(1000 * (1 + 0.4 * (16**0.75 - 1) / 0.75))
    assert config.window(10**9) == 5000


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr_schedule": "step"},
        {"lr_step_updates": (5,)},
        {"lr_schedule": "step", "lr_step_updates": (9, 5)},
    ],
)
def test_step_schedules_that_contradict_themselves_are_refused(wrong):
    with pytest.raises(ValueError, match="lr_step_updates"):
        TrainingConfig(**wrong)
