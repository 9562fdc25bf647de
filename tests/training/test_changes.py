"""What a resumed run may change."""

from __future__ import annotations

from pathlib import Path

from rlplat.config import load_config
from rlplat.training.changes import differences, unnamed


def test_differences_name_each_value_that_changed_and_not_the_name(tiny_config: Path) -> None:
    before = load_config(tiny_config)
    after = load_config(
        tiny_config, ["name=other", "seed=3", "agent.search.num_simulations=9", "placement.num_actors=1"]
    )
    assert differences(before, after) == {
        "agent.search.num_simulations": (8, 9),
        "placement.num_actors": (2, 1),
        "seed": (0, 3),
    }
    assert differences(before, before) == {}


def test_what_touches_learning_must_be_named_by_its_key_or_one_above_it(tiny_config: Path) -> None:
    changes = {
        "agent.search.num_simulations": (8, 9),
        "evaluation.num_games": (4, 8),
        "placement.num_actors": (2, 1),
        "training.checkpoint_every": (10, 20),
        "training.max_updates": (120, 500),
    }
    assert set(unnamed(changes, [])) == {"agent.search.num_simulations", "training.checkpoint_every"}
    assert set(unnamed(changes, ["agent.search"])) == {"training.checkpoint_every"}
    assert set(unnamed(changes, ["agent.sea", "training.checkpoint_every"])) == {"agent.search.num_simulations"}
