"""Sick metrics are named, each by one rule, and those of healthy runs by none."""

import logging

import pytest
import torch

from agents.alphazero.agent import AlphaZero
from agents.alphazero.health import ailments
from agents.alphazero.losses import Targets, loss_terms
from rlplat.config import load_config
from rlplat.registry import resolve
from rlplat.training.health import RECENT_ROWS, HealthWatch

HEALTHY = {
    "self_play/duplicate_games": 0.03,
    "self_play/repeated_noise": 0.0,
    "self_play/draws": 0.3,
    "self_play/first_player_wins": 0.5,
    "self_play/second_player_wins": 0.2,
    "self_play/policy_lag": 1.5,
    "policy/entropy": 0.6,
    "value/error": 0.3,
    "value/constant_error": 0.8,
}
SICK = [
    ("duplicate games", {"self_play/duplicate_games": 0.97}, "97% of the games were played before"),
    ("equal noise", {"self_play/repeated_noise": 0.5}, "50% of the games began with the noise of another"),
    ("entropy collapse", {"policy/entropy": 0.01}, r"entropy 0.010, even play 2.20"),
    ("blind value", {"value/error": 0.9}, "further from the results (0.900)"),
    ("stale data", {"self_play/policy_lag": 25.0}, "25 versions older than the newest"),
    ("draws", {"self_play/draws": 0.99, "self_play/first_player_wins": 0.01, "self_play/second_player_wins": 0.0},
     "99% of the games are drawn"),
    ("one side", {"self_play/second_player_wins": 0.7, "self_play/first_player_wins": 0.0},
     "the second player wins 100% of the decided games"),
    ("resignation errors", {"self_play/resign_errors": 0.31}, "31% of the games that would have been resigned"),
]  # fmt: skip


@pytest.mark.parametrize("name, changed, words", SICK, ids=[name for name, _, _ in SICK])
def test_a_sick_run_is_named_with_its_figures_and_a_hint(name, changed, words):
    found = ailments(HEALTHY | changed, num_actions=9)
    assert list(found) == [name]
    assert words in found[name]
    assert "agent." in found[name] or "agents/" in found[name]


def test_a_healthy_run_and_one_that_has_no_metrics_yet_are_not_sick():
    assert ailments(HEALTHY, num_actions=9) == {}
    assert ailments({}, num_actions=9) == {}


def test_the_error_of_a_constant_is_that_of_zero():
    outcome = torch.tensor([1.0, 1.0, 0.0, -1.0])
    targets = Targets(torch.full((4, 2), 0.5), torch.ones(4, 2, dtype=torch.bool), outcome, outcome)
    terms = loss_terms(
        torch.zeros(4, 2), torch.full((4,), 0.5).atanh(), targets, value_weight=1.0, value_target_mix=0.0
    )
    assert terms["value/constant_error"].item() == pytest.approx(0.75)  # three times 1, once 0
    assert terms["value/error"].item() == pytest.approx(0.75)


def test_a_run_is_judged_by_several_rows_and_says_each_ailment_once(tiny_config, caplog):
    watch = HealthWatch(AlphaZero(load_config(tiny_config), resolve("tictactoe", kind="game").load()))
    sick = HEALTHY | {"self_play/duplicate_games": 0.9}
    with caplog.at_level(logging.WARNING):
        changes = [watch.add(sick) for _ in range(RECENT_ROWS + 3)]
        assert changes == [False] * (RECENT_ROWS - 1) + [True] + [False] * 3
        assert "duplicate games: 90% of the games were played before" in watch.text
        assert len([record for record in caplog.records if "health: duplicate games" in record.message]) == 1
        assert [watch.add(HEALTHY) for _ in range(RECENT_ROWS)].count(True) == 1
    assert watch.text == "nothing is wrong"
