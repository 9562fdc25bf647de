"""The noise at the root, as seen from outside: its mean, its spread, its independence."""

from pathlib import Path

import numpy as np
import pytest
from networks import HashNetwork

from rlplat.search.analysis import UNIFORM, SearchParams, analyse
from rlplat.search.game import GameDefinition

GAME = GameDefinition("ladder", Path(__file__).parents[1] / "csrc" / "games" / "ladder.hpp").load(width=9)
DRAWS = 4000


def noise(alpha, fraction=0.25, seed=1, count=DRAWS):
    """Draws of the noise, `[count, 9]`, taken back out of the priors at the root."""
    params = SearchParams(num_simulations=1, dirichlet_alpha=alpha, noise_fraction=fraction)
    found = analyse(GAME, [GAME.initial_state()] * count, UNIFORM, params, seed=seed)
    return (found.priors.astype(np.float64) - (1 - fraction) / 9) / fraction


@pytest.mark.parametrize("alpha", [0.03, 0.3, 1.0, 10.0])
def test_root_noise_has_the_mean_and_variance_of_a_dirichlet_distribution(alpha):
    draws = noise(alpha)
    mean, variance = 1 / 9, (1 / 9) * (8 / 9) / (9 * alpha + 1)
    np.testing.assert_allclose(draws.sum(axis=1), 1, atol=1e-5)
    assert draws.min() > -1e-6
    assert np.abs(draws.mean(axis=0) - mean).max() < 5 * np.sqrt(variance / DRAWS)
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.2)
    # Entries of a Dirichlet draw are negatively correlated, each pair alike.
    correlation = np.corrcoef(draws.T)[~np.eye(9, dtype=bool)]
    np.testing.assert_allclose(correlation, -1 / 8, atol=0.09)


def test_no_two_searches_share_their_noise():
    draws = np.concatenate([noise(0.3, seed=seed, count=500) for seed in (1, 2)])
    assert len(np.unique(draws.round(6), axis=0)) == 1000
    neighbours = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    assert abs(neighbours) < 0.08


def test_the_same_seed_draws_the_same_noise():
    np.testing.assert_array_equal(noise(0.3, count=20), noise(0.3, count=20))


def test_priors_are_the_mixture_of_network_and_noise():
    states = [GAME.state_from_moves([a]) for a in range(9)]
    clean = analyse(GAME, states, HashNetwork(9), SearchParams(1), seed=3).priors
    half = analyse(GAME, states, HashNetwork(9), SearchParams(1, noise_fraction=0.5), seed=3).priors
    whole = analyse(GAME, states, HashNetwork(9), SearchParams(1, noise_fraction=1.0), seed=3).priors
    np.testing.assert_allclose(half, (clean + whole) / 2, atol=1e-6)
    np.testing.assert_allclose(half.sum(axis=1), 1, atol=1e-5)


def test_without_a_fraction_there_is_no_noise():
    found = analyse(GAME, [GAME.initial_state()], UNIFORM, SearchParams(5), seed=1)
    np.testing.assert_allclose(found.priors, 1 / 9)
