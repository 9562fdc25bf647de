"""Plants are moved apart as they grow, as PPO has learned to."""

from __future__ import annotations

from pathlib import Path

import pytest
from farm_learning import low_of_mean, played, train

from envs.farm.spacing.accounts import Season
from envs.farm.spacing.policies import play, shipped
from envs.farm.spacing.search import EqualMoves
from envs.farm.trained import SEED, seeds_of_evaluation
from rlplat.environments.task import Task
from rlplat.evaluation.episodes import play_episodes
from rlplat.evaluation.opponents import parse_opponent
from rlplat.evaluation.trained import load_trained

NUM_EPISODES = 20
AREA_DAYS, MOVES = "area_days_per_head", "moves_per_head"


def season(policy: str, num_episodes: int = NUM_EPISODES, **settings: int) -> Season:
    """What a policy brings on the seeds of an evaluation."""
    return play(shipped()[policy], seeds_of_evaluation(num_episodes), **settings)


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(900)
def test_spacing_within_five_minutes_a_head_needs_less_floor_than_by_chance(tmp_path: Path) -> None:
    run = train("spacing_schedule", tmp_path, "training.max_updates=60", minutes=5)
    learned = played(run, NUM_EPISODES).measures[AREA_DAYS]
    assert low_of_mean(season("random_schedule", num_days=240).area_days_per_head - learned) > 0.6


OPERATIONS = (
    "env.parameters={action: operations, observation: table, num_rows: 4, num_columns: 5, robot: {num_operations: 3}}",
    "agent.num_steps=121",
    "agent.returns={discount: 0.98, trace: 0.95}",
    "agent.training={num_epochs: 5, batch_size: 1024, learning_rate: 0.002, schedule: linear, entropy_weight: 0.001}",
    "training.max_updates=80",
)
"""The robot's day itself, three operations of 22 x 21, on a bench of 20 slots."""


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_spacing_operations_within_their_mask_earn_more_than_chance_and_than_nothing(tmp_path: Path) -> None:
    run = train("spacing_schedule", tmp_path, *OPERATIONS, minutes=10)
    task = load_trained(Path(run), "latest").env
    assert isinstance(task, Task)
    chance = play_episodes(task, parse_opponent("random").make_policy(task, 0), num_episodes=NUM_EPISODES, seed=SEED)
    learned = played(run, NUM_EPISODES)
    assert low_of_mean(learned.returns - chance.returns) > 3
    assert low_of_mean(learned.returns) > -0.46 * 0.2 * 120, "rent and light of an empty bench"


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_spacing_a_head_needs_less_floor_than_by_the_best_three_stages_with_no_more_moves(tmp_path: Path) -> None:
    num_episodes = 60  # what there is to gain is a hundredth of the floor
    run = train("spacing_schedule", tmp_path, minutes=15)
    for settings in ({"num_days": 360}, {"num_days": 120, "filling_days": 0}):  # when benches are full; from the start
        learned = Season(**played(run, num_episodes, **settings).measures)
        moves = learned.moves_per_head.mean()
        best = season("three_stages", num_episodes, **settings)
        print(f"{settings}: PPO, the best three stages, {moves:.3f} and {best.moves_per_head.mean():.3f} moves")
        assert needs_less_floor(learned, best) and moves <= best.moves_per_head.mean()
        found = EqualMoves(**settings).best(moves, seeds_of_evaluation(num_episodes))
        assert found is not None, "three stages that make as few moves"
        print(f"three stages of {found[0]} plants m-2, {found[1].moves_per_head.mean():.3f} moves")
        assert needs_less_floor(learned, found[1])


def needs_less_floor(learned: Season, stages: Season) -> bool:
    """Whether at the lower end of the 95 % interval over the same seeds."""
    print(f"{learned.area_days_per_head.mean():.4f} and {stages.area_days_per_head.mean():.4f} m2 d")
    return low_of_mean(stages.area_days_per_head - learned.area_days_per_head) > 0


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_spacing_with_free_moves_a_head_needs_three_percent_more_than_by_leaf_area_at_most(tmp_path: Path) -> None:
    learned = played(train("spacing_free_moves", tmp_path, minutes=15), NUM_EPISODES).measures
    print(f"{learned[AREA_DAYS].mean():.3f} m2 d with {learned[MOVES].mean():.2f} moves")
    assert low_of_mean(1.03 * season("hold_lai", num_days=360).area_days_per_head - learned[AREA_DAYS]) > 0
