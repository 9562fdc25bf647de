import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplat.evaluation.statistics import GAME_POINTS, PAIR_POINTS, MatchScore, elo_difference, score_interval

Z_SQUARED = 1.959963984540054**2
counts = st.integers(0, 40)
pair_counts = st.tuples(counts, counts, counts, counts, counts).filter(any)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    share = successes / trials
    centre = (share + Z_SQUARED / (2 * trials)) / (1 + Z_SQUARED / trials)
    half = math.sqrt(Z_SQUARED * share * (1 - share) / trials + (Z_SQUARED / (2 * trials)) ** 2)
    return centre - half / (1 + Z_SQUARED / trials), centre + half / (1 + Z_SQUARED / trials)


def tango_statistic(wins: int, draws: int, losses: int, score: float) -> float:
    """Equation 17 of Tango 1998, squared: its difference of proportions is `2 score - 1`."""
    n, difference = wins + draws + losses, 2 * score - 1
    b = -wins - losses + (2 * n - wins + losses) * difference
    c = -losses * difference * (1 - difference)
    q = (math.sqrt(b * b - 8 * n * c) - b) / (4 * n)
    return (wins - losses - n * difference) ** 2 / (n * (2 * q + difference * (1 - difference)))


def test_a_draw_is_half_a_win():
    assert MatchScore(3, 4, 5).score == 5 / 12


@pytest.mark.parametrize("wins, losses", [(0, 7), (1, 9), (10, 10), (30, 3), (200, 0)])
def test_without_draws_the_interval_is_wilsons(wins, losses):
    assert MatchScore(wins, 0, losses).interval == pytest.approx(wilson(wins, wins + losses), abs=1e-7)


@pytest.mark.parametrize("wins, draws, losses", [(3, 4, 5), (10, 30, 2), (0, 5, 9), (40, 1, 40), (7, 12, 0)])
def test_with_draws_the_interval_is_tangos(wins, draws, losses):
    for end in MatchScore(wins, draws, losses).interval:
        assert tango_statistic(wins, draws, losses, end) == pytest.approx(Z_SQUARED, rel=1e-5)


@pytest.mark.parametrize("num_games", [1, 2, 10, 400])
def test_all_won_all_lost_and_all_drawn_have_the_closed_forms(num_games):
    reach = Z_SQUARED / (num_games + Z_SQUARED)
    assert MatchScore(num_games, 0, 0).interval == pytest.approx((1 - reach, 1))
    assert MatchScore(0, 0, num_games).interval == pytest.approx((0, reach))
    assert MatchScore(0, num_games, 0).interval == pytest.approx((0.5 - reach / 2, 0.5 + reach / 2))


def test_many_games_approach_the_normal_interval():
    wins, draws, losses = 30_000, 50_000, 20_000
    score, low, high = 0.55, *MatchScore(wins, draws, losses).interval
    deviation = math.sqrt((0.3 + 0.5 / 4 - score**2) / 100_000)
    assert (low, high) == pytest.approx((score - 1.96 * deviation, score + 1.96 * deviation), abs=1e-5)


@given(pair_counts)
def test_an_interval_holds_the_mean_and_stays_within_0_and_1(pairs):
    low, high = score_interval(PAIR_POINTS, pairs)
    mean = sum(p * c for p, c in zip(PAIR_POINTS, pairs, strict=True)) / sum(pairs)
    assert 0 <= low <= mean <= high <= 1
    assert high - low > 1e-3


@given(counts, counts, counts)
def test_one_more_win_in_place_of_a_loss_raises_both_ends(wins, draws, losses):
    before, after = MatchScore(wins, draws, losses + 1), MatchScore(wins + 1, draws, losses)
    assert after.score > before.score
    assert after.interval[0] > before.interval[0] - 1e-8
    assert after.interval[1] > before.interval[1] - 1e-8


@given(st.lists(st.sampled_from(GAME_POINTS), min_size=2, max_size=60).filter(lambda points: len(points) % 2 == 0))
def test_swapping_the_sides_mirrors_the_interval_and_negates_elo(points):
    score, other = MatchScore.of_pairs(points), MatchScore.of_pairs([1 - value for value in points])
    low, high = score.interval
    assert score.swapped() == other
    assert other.interval == pytest.approx((1 - high, 1 - low), abs=1e-7)
    assert other.elo == pytest.approx(-score.elo)


@pytest.mark.parametrize("win, draw", [(0.5, 0.0), (0.3, 0.4), (0.1, 0.85), (0.75, 0.15), (0.9, 0.05)])
@pytest.mark.parametrize("num_games, most", [(12, 1.0), (40, 0.985)])
def test_the_interval_of_games_covers_the_truth(num_games, most, win, draw):
    """Exact: every result of the match is weighed with its probability."""
    truth, covered = win + draw / 2, 0.0
    for wins, draws in product(range(num_games + 1), repeat=2):
        losses = num_games - wins - draws
        if losses < 0:
            continue
        ways = math.comb(num_games, wins) * math.comb(num_games - wins, draws)
        probability = ways * win**wins * draw**draws * (1 - win - draw) ** losses
        if probability < 1e-6:
            continue
        low, high = score_interval(GAME_POINTS, (losses, draws, wins))
        covered += probability * (low <= truth <= high)
    assert 0.93 <= covered <= most


def simulated_pairs(rng: np.random.Generator, num_pairs: int, lean: float) -> list[float]:
    """Games decided by how good the opening is for the first player, so the two games of a pair oppose each other."""
    points = []
    for advantage in rng.normal(0, 1.5, num_pairs):
        for side in (1, -1):
            points.append(float(rng.random() < 1 / (1 + math.exp(-lean - side * 2 * advantage))))
    return points


def test_pairs_cover_the_truth_and_are_narrower_than_games_when_openings_decide():
    rng = np.random.default_rng(5)
    truth = np.mean(simulated_pairs(rng, 100_000, 0.5))
    covered, paired_width, game_width = 0, 0.0, 0.0
    for _ in range(250):
        paired = MatchScore.of_pairs(simulated_pairs(rng, 40, 0.5))
        low, high = paired.interval
        covered += low <= truth <= high
        paired_width += high - low
        low, high = MatchScore(paired.wins, paired.draws, paired.losses).interval
        game_width += high - low
    assert 0.92 <= covered / 250 <= 0.98
    assert paired_width < 0.8 * game_width


def test_pairs_are_wider_than_games_when_the_second_game_repeats_the_first():
    repeated = MatchScore.of_pairs([1.0, 1.0] * 10 + [0.0, 0.0] * 10)
    single = MatchScore(20, 0, 20)
    assert repeated.score == single.score
    assert repeated.interval == pytest.approx(wilson(10, 20), abs=1e-7)
    assert repeated.interval[0] < single.interval[0]


def test_points_are_counted_by_pairs():
    assert MatchScore.of_pairs([1, 0, 1, 1, 0.5, 0, 0.5, 1, 0, 0]) == MatchScore(4, 2, 4, (1, 1, 1, 1, 1))


@pytest.mark.parametrize("score, elo", [(0.5, 0), (10 / 11, 400), (1 / 11, -400), (100 / 101, 800), (0.75, 190.848502)])
def test_elo_follows_the_logistic_law(score, elo):
    assert elo_difference(score) == pytest.approx(elo, abs=1e-6)


def test_a_clean_sweep_has_infinite_elo_with_a_finite_lower_bound():
    sweep = MatchScore(20, 0, 0)
    assert sweep.elo == sweep.elo_interval[1] == math.inf
    assert sweep.elo_interval[0] == pytest.approx(400 * math.log10(20 / Z_SQUARED), abs=1e-3)
    assert sweep.swapped().elo == -math.inf


@pytest.mark.parametrize(
    "make",
    [
        lambda: MatchScore(0, 0, 0),
        lambda: MatchScore(1, -1, 1),
        lambda: MatchScore(1, 0, 1, (1, 0, 0, 0, 0)),
        lambda: MatchScore(1, 0, 1, (0, 0, 1, 1, 0)),
        lambda: MatchScore.of_pairs([1, 0, 1]),
        lambda: MatchScore.of_pairs([1, 0.7]),
        lambda: elo_difference(1.01),
    ],
)
def test_impossible_results_are_refused(make):
    with pytest.raises(ValueError):
        make()
