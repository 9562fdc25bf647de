"""Pictures of a batch by MuJoCo's renderer, which draws all that MuJoCo knows: meshes, textures, height fields."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection
from functools import cache
from importlib import import_module
from typing import Any, Literal

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from envs.robots.pictures import gl_platform, presets
from envs.robots.pictures.cameras import find_camera
from envs.robots.pictures.cast import GROUPS
from envs.robots.pictures.watchdog import Watchdog
from rlplat.errors import SceneError
from rlplat.render.cast import ByteArray

Quality = Literal["train", "full"]
FRAME_LIMIT_S = 60.0
"""Seconds until a process that draws one picture is ended; in full quality on a busy CPU it takes half a second."""
MAX_GEOMS = 10_000
NOTHING = 1.0
"""What the depth buffer holds where nothing was drawn."""
LOOKS = ("geom_", "mat_", "cam_", "light_", "site_", "tendon_", "skin_", "flex_")
"""Beginnings of the names of a model's fields that may show in a picture."""


class GlRenderer:
    """Draws the simulations of a batch as they are after its last call, one after another.

    Every field that the batch expands differs between simulations. `quality`: "train" leaves out shadows, reflections,
    multisampling, sky and fine tessellation (`presets`), "full" draws as the model says. `background` is seen where
    there is neither a geom nor a sky. A process that draws has one OpenGL context; one that hangs in the driver for
    `limit_s` is ended with a message.

    SceneError: there is no OpenGL here.
    """

    def __init__(
        self,
        batch: mujoco_batch.Batch,
        *,
        width: int,
        height: int,
        quality: Quality = "train",
        groups: Collection[int] = GROUPS,
        background: tuple[float, float, float] = (0.0, 0.0, 0.0),
        limit_s: float = FRAME_LIMIT_S,
    ) -> None:
        self._batch = batch
        self._watchdog = Watchdog(
            f"rlplat: MuJoCo's renderer has not finished a picture within {limit_s:g} s; the OpenGL driver hangs. This "
            "process ends. `rlplat doctor` tries the driver; MUJOCO_GL=osmesa draws without a GPU, `renderer: cast` "
            "without OpenGL",
            limit_s,
        )
        if quality == "train":
            self._model = presets.for_training(batch.model, width, height)
        else:
            self._model = presets.with_buffer(batch.model, width, height)
        self._data = mujoco.MjData(self._model)
        self._sizes = self._model.geom_size.copy()
        self._is_plane = self._model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [group in groups for group in range(len(self._option.geomgroup))]
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._scene = mujoco.MjvScene(self._model, MAX_GEOMS)
        if quality == "train":
            self._scene.flags[presets.OFF] = 0
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._upside_down = np.empty((height, width, 3), np.uint8)
        self._has_sky = quality == "full" and mujoco.mjtTexture.mjTEXTURE_SKYBOX in self._model.tex_type
        self._background = np.rint(255 * np.array(background)).astype(np.uint8)
        self._depth = np.empty((height, width), np.float32)
        gl_platform.choose()
        with self._watchdog.watch():
            self._gl = _context(os.getpid())
            with self._gl.as_current():
                self._drawn_in = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        self._free = weakref.finalize(self, _free, self._gl, self._drawn_in)

    def render(self, camera: str | int, *, out: ByteArray | None = None) -> ByteArray:
        """Return colours uint8[N, H, W, 3], in `out` if that is given; SceneError if there is no such camera."""
        self._camera.fixedcamid = find_camera(self._model, camera)
        if out is None:
            out = np.empty((self._batch.nsim, *self._upside_down.shape), np.uint8)
        looks = self._looks()
        with self._gl.as_current():
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._drawn_in)
            for simulation in range(self._batch.nsim):
                with self._watchdog.watch():
                    self._draw(simulation, looks)
                out[simulation] = self._upside_down[::-1]
        return out

    def check_camera(self, camera: str | int) -> None:
        """Raise SceneError if there is no such camera."""
        find_camera(self._model, camera)

    def close(self) -> None:
        """Give the driver's memory back; the object is of no use then."""
        self._free()

    def _draw(self, simulation: int, looks: list[tuple[np.ndarray, np.ndarray]]) -> None:
        for field, values in looks:
            field[:] = values[simulation]
        self._batch.get_data(simulation, self._data)
        if not self._batch.persistent:
            mujoco.mj_forward(self._model, self._data)
        mujoco.mjv_updateScene(
            self._model,
            self._data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        mujoco.mjr_render(self._rectangle, self._scene, self._drawn_in)
        mujoco.mjr_readPixels(self._upside_down, self._depth, self._rectangle, self._drawn_in)
        nothing = self._depth == NOTHING
        if not self._has_sky and nothing.any():
            self._upside_down[nothing] = self._background

    def _looks(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return fields of the scratch model with the batch's values [N, ...] of them."""
        found = []
        for name in FIELDS:
            values = self._batch.expanded(name)
            if values is None:
                continue
            if name == "geom_size":  # planes are drawn as they were when the context was made
                values = np.where(self._is_plane[:, None], self._sizes, values)
            found.append((getattr(self._model, name), values))
        return found


FIELDS = tuple(sorted(name for name in mujoco_batch.MODEL_FIELDS if name.startswith(LOOKS)))


@cache
def _context(_process: int) -> Any:
    """Return the process's OpenGL context. A forked process must not use that of its parent."""
    platform = os.environ[gl_platform.CHOICE]
    try:
        return import_module(f"mujoco.{platform}").GLContext(1, 1)
    except Exception as error:  # any: what a driver raises is not known
        raise SceneError(
            f"MUJOCO_GL is {platform}, and OpenGL does not start with it: {error}; `rlplat doctor` says what is "
            "missing; unset MUJOCO_GL to let rlplat find what works, or set `renderer: cast`, which needs no OpenGL"
        ) from error


def _free(gl: Any, drawn_in: mujoco.MjrContext) -> None:
    with gl.as_current():
        drawn_in.free()
