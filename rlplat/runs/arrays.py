"""Named arrays on disk: safetensors, which holds numbers and nothing that could run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from rlplat.errors import CheckpointError
from rlplat.interfaces import Arrays

_DTYPES = {"bool", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}

_LOOKS = (
    (b"\x80", "a Python pickle (an old torch checkpoint, or something that hides in one)"),
    (b"PK\x03\x04", "a zip archive (torch.save and numpy's .npz write such files)"),
    (b"\x93NUMPY", "a NumPy .npy file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"version https://git-lfs", "a pointer of git-lfs; fetch the file itself with `git lfs pull`"),
    (b"(", "a Python pickle of protocol 0"),
)
"""How foreign files begin. A safetensors file begins with the length of its header (8 bytes, little-endian) and `{`."""

_MAX_HEADER = 100_000_000
"""The longest header, in bytes, that safetensors allows."""


def save_arrays(
    path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays of any shape (zero-size and 0-d too) of bool, integer or float type; byte order and strides are
    made canonical.

    Raises CheckpointError for another type and OSError if the file cannot be written.
    """
    canonical = {name: _canonical(path, name, array) for name, array in arrays.items()}
    try:
        save_file(canonical, os.fspath(path), metadata=None if metadata is None else dict(metadata))
    except SafetensorError as error:
        # The library wraps the system's errors; unwrapped, a full disk can be told from other mishaps.
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise CheckpointError(f"{path} could not be written: {error}") from error
        raise OSError(int(number[1]), os.strerror(int(number[1])), os.fspath(path)) from error


def load_arrays(path: Path) -> Arrays:
    """Read what `save_arrays` wrote; the arrays are writable and owned by the caller.

    Raises CheckpointError for a missing, truncated or foreign file. Never unpickles.
    """
    try:
        return {name: _writable(array) for name, array in load_file(os.fspath(path)).items()}
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist; it belongs to a checkpoint that is not whole") from error
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file: it {_looks_like(path)} ({error}). rlplat reads arrays from "
            "safetensors only and never unpickles; take another checkpoint or copy this one again from its source"
        ) from error


def _canonical(path: Path, name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype.name not in _DTYPES:
        raise CheckpointError(
            f"{path}: array '{name}' has dtype {array.dtype}; a checkpoint holds only {', '.join(sorted(_DTYPES))}"
        )
    # The library stores the memory behind an array without regard to its strides; `order` copies where needed, and
    # unlike `ascontiguousarray` keeps 0-d arrays 0-d.
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _writable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array if array.flags.writeable else array.copy()


def _looks_like(path: Path) -> str:
    """Say in words what a broken file seems to be."""
    try:
        with open(path, "rb") as file:
            start = file.read(64)
        size = path.stat().st_size
    except OSError:
        return "cannot be opened"
    if not start:
        return "is empty"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < _MAX_HEADER:
        return f"is truncated or damaged ({size} bytes)"
    for magic, description in _LOOKS:
        if start.startswith(magic):
            return f"looks like {description}"
    return f"begins with {start[:8]!r}, which no safetensors file does"
