"""The formulas of SAC, each against numbers worked out by hand or by integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from agents.visuomotor.actions import SquashedGaussian
from agents.visuomotor.dense import WORTHWHILE, Dense
from agents.visuomotor.sac.loss import actor_loss, critic_loss, follow, soft_targets, temperature_loss
from agents.visuomotor.sac.random_shift import default_shift, shift_pictures
from agents.visuomotor.sac.twin_critics import TwinCritics


def test_the_density_of_squashed_actions_integrates_to_one_and_agrees_with_what_is_drawn():
    mean, log_std = 0.4, -0.3
    noise = torch.linspace(-8, 8, 200_001, dtype=torch.float64)[:, None]
    policy = SquashedGaussian(torch.full_like(noise, mean), torch.full_like(noise, log_std))
    actions, log_prob = policy.sample(noise)
    assert float(torch.trapezoid(log_prob.exp(), actions[:, 0])) == pytest.approx(1.0, abs=1e-6)
    entropy = float(torch.trapezoid(-log_prob * log_prob.exp(), actions[:, 0]))
    drawn = SquashedGaussian(torch.full((100_000, 1), mean), torch.full((100_000, 1), log_std))
    again = torch.randn(100_000, 1, generator=torch.Generator().manual_seed(0))
    assert float(-drawn.sample(again)[1].mean()) == pytest.approx(entropy, abs=0.01)
    by_numpy = drawn.draw(np.random.default_rng(0))
    assert by_numpy.mean() == pytest.approx(float(drawn.sample(again)[0].mean()), abs=0.01)


def test_the_density_of_extreme_actions_is_finite_and_dimensions_multiply():
    far = SquashedGaussian(torch.tensor([[30.0, -30.0]]), torch.zeros(1, 2))
    _, log_prob = far.sample(torch.zeros(1, 2))
    # log(1 - tanh(u)^2) -> log 4 - 2 |u| for large u.
    assert float(log_prob) == pytest.approx(2 * (-0.5 * math.log(2 * math.pi) - math.log(4.0) + 60.0), rel=1e-6)


def test_targets_are_those_worked_out_by_hand():
    next_values = torch.tensor([[4.0, 8.0], [6.0, 2.0]])
    found = soft_targets(
        torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.0]), next_values, torch.tensor([-2.0, 1.0]), torch.tensor(0.25)
    )
    assert found.tolist() == [1 + 0.5 * (4 + 0.25 * 2), 2.0]  # the second one terminated
    assert float(critic_loss(next_values, torch.tensor([4.0, 4.0]))) == 0.5 * (0 + 16) / 2 + 0.5 * (4 + 4) / 2
    loss = actor_loss(torch.tensor([-2.0, 1.0]), next_values, torch.tensor(0.5))
    assert float(loss) == ((0.5 * -2 - 4) + (0.5 * 1 - 2)) / 2


@pytest.mark.parametrize(("entropy", "rises"), [(-1.5, True), (-0.5, False)])
def test_the_temperature_rises_where_the_policy_is_more_certain_than_wanted(entropy, rises):
    log_temperature = nn.Parameter(torch.tensor(math.log(0.5)))
    temperature_loss(log_temperature, torch.full((8,), -entropy), target_entropy=-1.0).backward()
    # dJ/d(log alpha) = -alpha (log pi + H) = alpha (entropy - H).
    assert float(log_temperature.grad) == pytest.approx(0.5 * (entropy + 1.0))
    assert (float(log_temperature.grad) < 0) == rises


def test_targets_follow_by_the_rate():
    target, followed = [torch.tensor([0.0, 10.0])], [torch.tensor([1.0, 20.0])]
    follow(target, followed, 0.1)
    assert target[0].tolist() == pytest.approx([0.1, 11.0])
    follow(target, followed, 1.0)
    assert target[0].tolist() == followed[0].tolist()


def test_critics_are_two_networks_of_their_own():
    torch.manual_seed(0)
    twin, inputs = TwinCritics([3, 8, 8, 1], "tanh"), torch.randn(5, 3)
    found = twin(inputs)
    assert found.shape == (2, 5)
    for k in range(2):
        assert torch.equal(found[k], twin.both[k](inputs)[:, 0])
    assert not torch.allclose(found[0], found[1])


@pytest.mark.parametrize("relu", [False, True])
def test_large_layers_give_what_small_ones_give_gradients_too(relu):
    torch.manual_seed(0)
    layer, inputs = Dense(256, 128, relu=relu), torch.randn(256, 256, requires_grad=True)
    assert len(inputs) * layer.weight.numel() >= WORTHWHILE
    plain = nn.functional.linear(inputs, layer.weight, layer.bias)
    plain = torch.relu(plain) if relu else plain
    gradient = torch.randn(256, 128)
    leaves = [inputs, layer.weight, layer.bias]
    found = layer(inputs)
    assert torch.allclose(found, plain, atol=1e-4)
    for one, two in zip(
        torch.autograd.grad(found, leaves, gradient), torch.autograd.grad(plain, leaves, gradient), strict=True
    ):
        assert torch.allclose(one, two, atol=1e-3)
    with torch.no_grad():
        assert torch.allclose(layer(inputs), plain, atol=1e-4)


def test_shifted_pictures_are_windows_of_the_picture_with_its_border_repeated():
    pictures = torch.arange(2 * 6 * 5 * 2, dtype=torch.uint8).reshape(2, 6, 5, 2)
    generator = torch.Generator().manual_seed(0)
    padded = nn.functional.pad(pictures.permute(0, 3, 1, 2).float(), (2,) * 4, mode="replicate").permute(0, 2, 3, 1)
    seen = set()
    for _ in range(200):
        shifted = shift_pictures(pictures, 2, generator)
        assert shifted.shape == pictures.shape
        for k in range(2):
            moves = [
                (y, x) for y in range(5) for x in range(5) if (padded[k, y : y + 6, x : x + 5] == shifted[k]).all()
            ]
            assert len(moves) == 1
            seen.add(moves[0])
    assert len(seen) == 25, "every shift comes up"
    assert (default_shift(84), default_shift(32), default_shift(16), default_shift(8)) == (4, 2, 1, 1)
