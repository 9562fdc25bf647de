"""The configurations that come with rlplat are good as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT

from rlplat import registry
from rlplat.config import load_config
from rlplat.evaluation.opponents import parse_opponent

CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT / "configs")))
def test_every_configuration_is_valid_and_names_games_and_opponents_that_exist(path: Path) -> None:
    config = load_config(path)
    if config.env.is_game:
        registry.resolve(config.env.id, kind="game").load(**config.env.parameters)
        for opponent in config.evaluation.against:
            parse_opponent(opponent)


def test_every_configuration_for_a_gpu_has_one_of_the_same_game_for_two_cores() -> None:
    on_gpu = list((ROOT / "configs" / "gpu").glob("*.yaml"))
    assert on_gpu
    for path in on_gpu:
        assert load_config(path).env.id == load_config(ROOT / "configs" / path.name).env.id
