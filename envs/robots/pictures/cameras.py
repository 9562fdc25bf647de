"""Finds the cameras of a model."""

from __future__ import annotations

import mujoco

from rlplat.errors import SceneError
from rlplat.problems import suggestion


def find_camera(model: mujoco.MjModel, camera: str | int) -> int:
    """Return the number of a camera that is given by name or number. Raises SceneError: there is none."""
    names = [model.camera(index).name for index in range(model.ncam)]
    if isinstance(camera, str) and camera not in names:
        raise SceneError(f"the model has no camera {camera!r}{suggestion(camera, filter(None, names))}")
    index = names.index(camera) if isinstance(camera, str) else camera
    if not 0 <= index < model.ncam:
        raise SceneError(f"the model has no camera {index}; it has {model.ncam}, counted from 0")
    return index
