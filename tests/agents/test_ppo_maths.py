"""The formulas of PPO, each against numbers worked out by hand or by another library."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import distributions

from agents.visuomotor.actions import Categorical, Gaussian, factored, to_env
from agents.visuomotor.networks import SpatialSoftmax
from agents.visuomotor.normalise import Moments, ObservationNormaliser
from agents.visuomotor.ppo.advantages import estimate_advantages
from agents.visuomotor.ppo.loss import ppo_loss
from agents.visuomotor.ppo.rollouts import Rollouts
from rlplat.interfaces import Choices, Continuous, Observed


def test_advantages_are_those_worked_out_by_hand():
    # One environment goes on, one terminates after its second step, one is broken off there; gamma 0.5, lambda 0.5.
    rewards = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0]])
    values = np.array([[2.0, 2.0, 2.0], [4.0, 4.0, 4.0], [8.0, 8.0, 8.0]])
    next_values = np.array([[4.0, 4.0, 4.0], [8.0, 0.0, 6.0], [16.0, 16.0, 16.0]])
    ended = np.array([[False] * 3, [False, True, True], [False] * 3])
    found = estimate_advantages(rewards, values, next_values, ended, discount=0.5, trace=0.5)
    # deltas: 1 + 2 - 2 = 1; 2 + {4, 0, 3} - 4 = {2, -2, 1}; 4 + 8 - 8 = 4. Then A = delta + A_next / 4.
    assert found.tolist() == [[1 + 3 / 4, 0.5, 1.25], [3.0, -2.0, 1.0], [4.0, 4.0, 4.0]]


def test_the_value_after_a_step_is_that_of_the_last_observation_where_it_was_broken_off_and_0_where_it_terminated():
    def part(cut: list[list[bool]], last: list[float]) -> Rollouts:
        truncated = np.array(cut)
        arrays = {"truncated": truncated, "terminated": np.zeros_like(truncated)}
        return Rollouts({"policy": np.zeros((3, truncated.shape[1], 1))}, {"policy": np.array(last)[:, None]}, arrays)

    one, two = part([[False, True], [True, False]], [10.0, 11.0]), part([[True], [True]], [20.0, 21.0])
    two.arrays["terminated"][:] = False
    both = Rollouts.side_by_side([one, two])
    assert both.last["policy"][:, 0].tolist() == [10.0, 20.0, 11.0, 21.0]
    values = np.arange(9.0).reshape(3, 3)
    assert both.next_values(values, both.last["policy"][:, 0]).tolist() == [[3.0, 10.0, 20.0], [11.0, 7.0, 21.0]]
    both.arrays["terminated"][0, 0] = True
    assert both.next_values(values, both.last["policy"][:, 0])[0, 0] == 0.0


def test_the_surrogate_stops_paying_beyond_the_clip_and_never_stops_costing():
    advantages = torch.tensor([1.0, -1.0])  # of mean 0 and deviation sqrt(2), which normalising brings to 1
    scale = 1 / math.sqrt(2)

    def policy_loss(ratios: list[float]) -> float:
        log_prob, zero = torch.log(torch.tensor(ratios)), torch.zeros(2)
        weights = {"clip": 0.2, "value_weight": 0.5, "entropy_weight": 0.1}
        loss = ppo_loss(log_prob, zero, advantages, zero, torch.tensor([1.0, 3.0]), torch.ones(2), **weights)
        assert float(loss.value) == 5.0
        assert float(loss.total) == pytest.approx(float(loss.policy) + 2.5 - 0.1)
        return float(loss.policy)

    assert policy_loss([1.1, 0.9]) == pytest.approx(-(1.1 - 0.9) / 2 * scale, abs=1e-5)
    assert policy_loss([5.0, 0.1]) == pytest.approx(-(1.2 - 0.8) / 2 * scale, abs=1e-5)  # gains are cut
    assert policy_loss([0.1, 5.0]) == pytest.approx(-(0.1 - 5.0) / 2 * scale, abs=1e-5)  # losses are not


def test_the_divergence_is_close_to_that_of_the_distributions():
    old, new = distributions.Normal(0.0, 1.0), distributions.Normal(0.1, 1.0)
    actions = old.sample((200_000,))
    zero = torch.zeros(len(actions))
    loss = ppo_loss(
        new.log_prob(actions),
        old.log_prob(actions),
        actions,
        zero,
        zero,
        zero,
        clip=0.2,
        value_weight=0,
        entropy_weight=0,
    )
    assert float(loss.kl) == pytest.approx(0.005, rel=0.05)


def test_distributions_agree_with_those_of_torch():
    generator = torch.Generator().manual_seed(0)
    numbers, log_std = torch.randn(6, 3, generator=generator), torch.tensor([0.1, -0.5, 0.3])
    actions = torch.randn(6, 3, generator=generator)
    ours, theirs = (
        Gaussian(numbers, log_std),
        distributions.Independent(distributions.Normal(numbers, log_std.exp()), 1),
    )
    torch.testing.assert_close(ours.log_prob(actions), theirs.log_prob(actions))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    choices = torch.tensor([0, 1, 2, 0, 1, 2])
    torch.testing.assert_close(
        Categorical(numbers).log_prob(choices), distributions.Categorical(logits=numbers).log_prob(choices)
    )
    torch.testing.assert_close(Categorical(numbers).entropy(), distributions.Categorical(logits=numbers).entropy())


def test_several_choices_are_independent_and_some_may_be_forbidden():
    space = Choices((2, 2), (3, 2, 3, 2))
    assert space.period == 2
    outputs = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 10), np.float32))
    mask = torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0]).expand(4, 5)
    found = factored(space, outputs, mask)
    masked = torch.where(mask.repeat(1, 2) > 0, outputs, -1e9)
    each = [distributions.Categorical(logits=part) for part in masked.split(space.sizes, dim=1)]
    actions = torch.stack([one.sample() for one in each], 1)
    assert actions.shape == (4, 4)
    torch.testing.assert_close(found.log_prob(actions), sum(one.log_prob(actions[:, k]) for k, one in enumerate(each)))
    torch.testing.assert_close(found.entropy(), sum(one.entropy() for one in each))
    assert found.mode().tolist() == torch.stack([one.logits.argmax(1) for one in each], 1).tolist()
    whole = factored(space, outputs, mask.repeat(1, 2))
    torch.testing.assert_close(whole.log_prob(actions), found.log_prob(actions))
    drawn = np.concatenate([found.draw(np.random.default_rng(seed)) for seed in range(50)])
    assert drawn.shape == (200, 4) and not (drawn[:, [0, 2]] == 1).any(), "what the mask forbids"
    assert to_env(space, drawn).shape == (200, 2, 2)


def test_sizes_repeat_after_the_shortest_stretch_that_makes_all_of_them():
    assert [Choices((), sizes).period for sizes in ((3,), (2, 2, 2), (2, 3, 2), (2, 3, 2, 3), (2, 2, 3))] == [
        1,
        1,
        3,
        2,
        3,
    ]


def test_actions_are_drawn_as_often_as_their_distribution_says():
    rng = np.random.default_rng(0)
    logits = torch.log(torch.tensor([0.6, 0.3, 0.1])).expand(20_000, 3)
    assert np.bincount(Categorical(logits).draw(rng)) / 20_000 == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    drawn = Gaussian(torch.full((20_000, 1), 2.0), torch.tensor([-1.0])).draw(rng)
    assert (drawn.mean(), drawn.std()) == (pytest.approx(2.0, abs=0.01), pytest.approx(math.exp(-1), abs=0.01))


def test_the_range_of_a_bounded_action_is_minus_1_to_1_and_what_lies_beyond_is_cut():
    space = Continuous((3,), (0.0, -2.0, -math.inf), (1.0, 2.0, 5.0))
    drawn = np.array([[0.0, 0.5, 7.0], [-1.0, -9.0, -3.0]])
    assert to_env(space, drawn).tolist() == [[0.5, 1.0, 5.0], [0.0, -2.0, -3.0]]


def test_feature_points_are_the_expected_positions_under_the_softmax():
    responses = torch.full((1, 2, 3, 5), -50.0)
    responses[0, 0, 2, 0] = 50.0  # lower left
    responses[0, 1, 0, 4] = responses[0, 1, 0, 2] = 50.0  # upper right and upper middle
    points = SpatialSoftmax(3, 5)(responses)
    torch.testing.assert_close(points, torch.tensor([[-1.0, 0.5, 1.0, -1.0]]))


def test_moments_of_parts_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(5.0, 3.0, (100, 2))
    moments = Moments((2,))
    for part in (rows[:1], rows[1:40], rows[40:40], rows[40:]):
        moments.add(part)
    assert moments.mean.numpy() == pytest.approx(rows.mean(0))
    assert moments.variance.numpy() == pytest.approx(rows.var(0))


@pytest.mark.parametrize("same", [0.0, 0.1, 1.0, 1234.5])
def test_a_number_that_was_always_the_same_says_nothing_when_it_changes(same):
    rows = np.stack([np.full(1000, same), same + np.linspace(0, 1e-3, 1000)], axis=1).astype(np.float32)
    normaliser = ObservationNormaliser({"policy": Observed((2,))})
    for part in (rows[:7], rows[7:]):
        normaliser.add({"policy": part})
    later = torch.tensor([[same, same], [same + 1.0, same + 1.0]])
    found = normaliser({"policy": later})["policy"]
    assert found[:, 0].tolist() == [0.0, 0.0]
    assert found[0, 1] < -1 and found[1, 1] == 10.0
