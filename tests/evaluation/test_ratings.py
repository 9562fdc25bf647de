import math
import random

import numpy as np
import pytest

from rlplat.evaluation.ratings import ELO_PER_LOGIT, Rating, Tally, fit_ratings


def rated(*tallies: Tally, anchor: str = "a") -> dict[str, Rating]:
    return {rating.player: rating for rating in fit_ratings(tallies, anchor).rated}


def expected(difference: float) -> float:
    return 1 / (1 + 10 ** (-difference / 400))


def test_two_players_differ_by_the_logistic_formula_with_half_a_game_more_for_each():
    b = rated(Tally("b", "a", 29, 2, 9))["b"]  # 30 points of 40
    assert b.elo == pytest.approx(400 * math.log10(30.5 / 10.5), abs=0.01)
    assert b.num_games == 40
    many = rated(Tally("b", "a", 30_000, 0, 10_000))["b"]
    assert many.elo == pytest.approx(400 * math.log10(3), abs=0.02)


def test_with_many_games_an_interval_is_that_of_the_fisher_information():
    b = rated(Tally("b", "a", 30_000, 0, 10_000))["b"]
    standard_error = ELO_PER_LOGIT / math.sqrt(40_000 * 0.75 * 0.25)
    assert b.high - b.elo == pytest.approx(1.96 * standard_error, rel=0.01)
    assert b.elo - b.low == pytest.approx(1.96 * standard_error, rel=0.01)


def test_a_chain_adds_up_and_its_uncertainty_too():
    """Without a direct match, c is as far from a as b from a and c from b together; variances add."""
    found = rated(Tally("b", "a", 6000, 0, 4000), Tally("c", "b", 7000, 0, 3000))
    assert found["c"].elo == pytest.approx(400 * (math.log10(6 / 4) + math.log10(7 / 3)), abs=0.1)
    variance = ELO_PER_LOGIT**2 * (1 / (10_000 * 0.24) + 1 / (10_000 * 0.21))
    assert found["c"].high - found["c"].low == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.01)
    assert (found["a"].elo, found["a"].low, found["a"].high) == (0, 0, 0)


@pytest.mark.parametrize("num_games", [2, 100, 10_000])
def test_a_clean_sweep_has_a_finite_rating_that_is_open_upwards(num_games):
    b = rated(Tally("b", "a", num_games, 0, 0))["b"]
    assert b.elo == pytest.approx(400 * math.log10(2 * num_games + 1), abs=0.01)
    assert -200 < b.low < b.elo < b.high < math.inf
    assert b.high - b.elo > 1.9 * (b.elo - b.low)
    # Who wins 100 of 100 scores 96.4 % or more (Clopper and Pearson), which is 570 Elo.
    assert num_games != 100 or b.low == pytest.approx(570, abs=30)


def test_someone_who_loses_to_all_hardly_moves_the_others():
    field = [Tally("b", "a", 70, 0, 30), Tally("c", "a", 80, 0, 20), Tally("c", "b", 60, 0, 40)]
    alone = rated(*field)
    found = rated(*field, *(Tally("loser", name, 0, 0, 100) for name in "abc"))
    for name in "bc":
        assert found[name].elo == pytest.approx(alone[name].elo, abs=3)
        assert found[name].high - found[name].low == pytest.approx(alone[name].high - alone[name].low, rel=0.03)
    assert -2000 < found["loser"].low < found["loser"].high < -500


def test_neither_the_order_of_matches_nor_their_sides_change_anything():
    tallies = [Tally("b", "a", 5, 1, 4), Tally("c", "b", 9.3, 0.5, 0.2), Tally("a", "c", 1 / 3, 2, 7)]
    tallies += [Tally("d", "a", 0, 0, 8), Tally("b", "a", 2, 0, 2)]
    first = fit_ratings(tallies, "a").rated
    swapped = [Tally(each.opponent, each.player, each.losses, each.draws, each.wins) for each in tallies]
    for again in (tallies[::-1], swapped, random.Random(1).sample(tallies, 5)):
        for one, other in zip(first, fit_ratings(again, "a").rated, strict=True):
            assert one.player == other.player
            assert [other.elo, other.low, other.high] == pytest.approx([one.elo, one.low, one.high], abs=0.05)


def test_the_anchor_shifts_ratings_and_changes_no_difference():
    tallies = [Tally("b", "a", 5, 1, 4), Tally("c", "b", 9, 0, 1), Tally("c", "a", 10, 0, 0)]
    at_a, at_c = rated(*tallies), rated(*tallies, anchor="c")
    for name in "abc":
        assert at_c[name].elo - at_c["a"].elo == pytest.approx(at_a[name].elo, abs=0.01)
    assert at_c["a"].low == pytest.approx(-at_a["c"].high, abs=0.1)


def test_players_whom_no_games_link_to_the_anchor_are_named_and_left_out():
    found = fit_ratings([Tally("b", "a", 5, 1, 4), Tally("y", "x", 5, 1, 4)], "a")
    assert found.unconnected == ("x", "y")
    assert [rating.player for rating in found.rated] == ["b", "a"]
    assert found.of("x") is None
    with pytest.raises(ValueError, match="anchor z has no games; players with games: a, b"):
        fit_ratings([Tally("b", "a", 1, 0, 0)], "z")
    with pytest.raises(ValueError, match="against itself"):
        fit_ratings([Tally("a", "a", 1, 0, 0)], "a")


def test_intervals_hold_the_truth_about_95_times_in_100():
    truth = {"a": 0.0, "b": 100.0, "c": 250.0, "d": 600.0}
    pairs = [("b", "a", 20), ("c", "a", 30), ("c", "b", 20), ("d", "b", 30), ("d", "c", 10)]
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(80):
        tallies = []
        for one, other, num_games in pairs:
            wins = int(rng.binomial(num_games, expected(truth[one] - truth[other])))
            tallies.append(Tally(one, other, wins, 0, num_games - wins))
        hits += [each.low <= truth[each.player] <= each.high for each in fit_ratings(tallies, "a").rated[:3]]
    assert len(hits) == 240
    assert 0.915 <= np.mean(hits) <= 0.99  # 2.5 standard deviations below, more above: ends are discrete
