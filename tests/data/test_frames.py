import numpy as np
import pytest

from rlplat.data.frames import stack_frames


@pytest.mark.parametrize("shape", [(5, 4, 3), (1, 1, 3), (3, 7, 1), (2, 2, 4)])
@pytest.mark.parametrize("stack", [1, 2, 3, 5])
def test_a_stack_is_its_frames_joined_along_the_channels(shape, stack):
    generator = np.random.default_rng(0)
    frames = generator.integers(256, size=(6, *shape), dtype=np.uint8)
    rows = generator.integers(6, size=(4, stack))
    expected = np.stack([np.concatenate(list(frames[row]), axis=-1) for row in rows])
    assert np.array_equal(stack_frames(frames, rows), expected)


def test_a_row_outside_of_the_frames_is_refused():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    for row in (-1, 2):
        with pytest.raises(IndexError, match="rows: outside of frames"):
            stack_frames(frames, np.array([[0, row]]))
