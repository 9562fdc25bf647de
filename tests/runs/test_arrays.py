import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from rlplat.errors import CheckpointError
from rlplat.runs.arrays import load_arrays, save_arrays

DTYPES = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
]


def test_every_type_and_shape_comes_back_bit_for_bit(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    arrays = {
        f"{dtype} {shape}": generator.integers(0, 2**8, shape).astype(dtype)
        for dtype in DTYPES
        for shape in ((), (0,), (3, 0, 2), (1,), (2, 3))
    }
    arrays["extremes"] = np.array([0, 2**64 - 1], np.uint64)
    arrays["not numbers"] = np.array([np.nan, -np.inf, -0.0], np.float32)
    save_arrays(tmp_path / "a.safetensors", arrays)
    loaded = load_arrays(tmp_path / "a.safetensors")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (loaded[name].dtype, loaded[name].shape) == (array.dtype, array.shape), name
        assert loaded[name].tobytes() == array.tobytes(), name


def test_strided_and_big_endian_arrays_keep_their_values(tmp_path: Path) -> None:
    grid = np.arange(24).reshape(4, 6)
    arrays = {"transposed": grid.T, "every second": grid[::2, ::-3], "big": np.arange(5, dtype=">i4")}
    save_arrays(tmp_path / "a.safetensors", arrays)
    for name, array in load_arrays(tmp_path / "a.safetensors").items():
        np.testing.assert_array_equal(array, arrays[name])


def test_loaded_arrays_can_be_written_to(tmp_path: Path) -> None:
    save_arrays(tmp_path / "a.safetensors", {"x": np.zeros(3), "scalar": np.array(1.0)}, {"of": "test"})
    loaded = load_arrays(tmp_path / "a.safetensors")
    loaded["x"][1] = 5
    loaded["scalar"][...] = 2
    assert loaded["x"].tolist() == [0, 5, 0]


@pytest.mark.parametrize("array", [np.array([None]), np.array(["text"]), np.array([1j])])
def test_a_type_that_cannot_be_stored_is_named_with_its_array(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(CheckpointError, match="'odd' has dtype"):
        save_arrays(tmp_path / "a.safetensors", {"odd": array})
    assert not (tmp_path / "a.safetensors").exists()


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_refused_and_does_not_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "payload ran"
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Payload(marker), protocol))
    with pytest.raises(CheckpointError, match=r"never unpickles") as caught:
        load_arrays(path)
    assert not marker.exists()
    if protocol >= 2:
        assert "Python pickle" in str(caught.value)
    pickle.loads(path.read_bytes())
    assert marker.exists(), "the payload of this test would have run if it had been unpickled"


def test_an_npz_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "payload ran"
    with open(tmp_path / "weights.safetensors", "wb") as file:
        np.savez(file, x=np.array([Payload(marker)], dtype=object))
    with pytest.raises(CheckpointError, match="zip archive"):
        load_arrays(tmp_path / "weights.safetensors")
    assert not marker.exists()


def test_every_truncation_of_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    whole = tmp_path / "a.safetensors"
    save_arrays(whole, {"x": np.arange(50), "y": np.zeros((2, 2), np.uint8)})
    content = whole.read_bytes()
    broken = tmp_path / "broken.safetensors"
    for length in range(0, len(content), 7):
        broken.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"broken\.safetensors is not a readable safetensors file"):
            load_arrays(broken)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors does not exist"):
        load_arrays(tmp_path / "none.safetensors")
