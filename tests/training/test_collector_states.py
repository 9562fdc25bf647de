"""What a checkpoint keeps of the collectors, so that none makes again what counts already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rlplat.errors import CheckpointError
from rlplat.runs.arrays import save_arrays
from rlplat.training.hosts import COLLECTORS_FOLDER, CollectorState, load_collectors, save_collectors


def arrays(number: int) -> dict[str, np.ndarray]:
    return {"game_number": np.array([number])}


def test_states_and_generations_come_back_and_who_had_no_state_begins_its_generation_afresh(tmp_path: Path) -> None:
    save_collectors(tmp_path, [CollectorState(0, arrays(7)), CollectorState(3, None), CollectorState(1, arrays(9))])
    first, second, third = load_collectors(tmp_path, 3)
    assert (first.generation, second.generation, third.generation) == (0, 3, 1)
    assert first.arrays is not None and first.arrays["game_number"] == 7
    assert second.arrays is None
    assert third.arrays is not None and third.arrays["game_number"] == 9


def test_another_number_of_collectors_begins_in_a_generation_that_none_was_of(tmp_path: Path) -> None:
    save_collectors(tmp_path, [CollectorState(0, arrays(7)), CollectorState(4, arrays(9))])
    assert load_collectors(tmp_path, 3) == [CollectorState(5, None)] * 3


def test_checkpoints_of_a_time_without_generations_are_of_the_first_one(tmp_path: Path) -> None:
    (tmp_path / COLLECTORS_FOLDER).mkdir()
    save_arrays(tmp_path / COLLECTORS_FOLDER / "00000.safetensors", arrays(7))
    (found,) = load_collectors(tmp_path, 1)
    assert found.generation == 0
    assert found.arrays is not None and found.arrays["game_number"] == 7


def test_a_checkpoint_without_collectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no state of collectors"):
        load_collectors(tmp_path, 2)
