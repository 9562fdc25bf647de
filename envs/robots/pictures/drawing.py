"""What draws the simulations of a task: our own ray-caster, or MuJoCo's renderer."""

from __future__ import annotations

import logging
from typing import Protocol

from mujoco.batch import Batch

from envs.robots.pictures.cast import CastRenderer
from envs.robots.settings import RobotSettings
from rlplat.errors import SceneError
from rlplat.render.cast import ByteArray

POSES = ("geom_xpos", "geom_xmat", "cam_xpos", "cam_xmat", "light_xpos", "light_xdir")
"""What the ray-caster reads: must be bound before it is first computed."""
BACKGROUND = (0.72, 0.80, 0.88)
SHOW_PIXELS = 256
"""Height and width of the pictures of `render()`."""

_log = logging.getLogger(__name__)


class Renderer(Protocol):
    """Draws the simulations of a batch as they are after its last call."""

    def render(self, camera: str | int, *, out: ByteArray | None = None) -> ByteArray:
        """Return colours uint8[N, H, W, 3], in `out` if that is given; SceneError if there is no such camera."""

    def check_camera(self, camera: str | int) -> None:
        """Raise SceneError if there is no such camera, or none that can be drawn."""


def observed(batch: Batch, settings: RobotSettings, pixels: int, num_threads: int) -> Renderer:
    """Return what draws the pictures of observations.

    Raises SceneError: no such camera, a geom that cannot be drawn, no OpenGL where that is asked for.
    """
    if settings.renderer == "gl":
        return _checked(_gl(batch, pixels, "train"), settings)
    return _checked(_cast(batch, pixels, num_threads, settings.supersampling, settings.shadows), settings)


def shown(batch: Batch, settings: RobotSettings, num_threads: int) -> Renderer:
    """Return what draws the pictures of `render()`, in full quality; where there is no OpenGL, the ray-caster does.

    Raises SceneError as `observed` does.
    """
    if (settings.video_renderer or settings.renderer) == "gl":
        try:
            return _checked(_gl(batch, SHOW_PIXELS, "full"), settings)
        except SceneError as error:
            if settings.renderer == "gl":
                raise
            _log.warning("pictures of render() are drawn by `cast`: %s", error)
    return _checked(_cast(batch, SHOW_PIXELS, num_threads, True, True), settings)


def _checked(renderer: Renderer, settings: RobotSettings) -> Renderer:
    for camera in settings.cameras.values():
        renderer.check_camera(camera)
    return renderer


def _cast(batch: Batch, pixels: int, num_threads: int, supersampling: bool, shadows: bool) -> Renderer:
    for field in POSES:
        batch.bind(field)
    return CastRenderer(
        batch,
        width=pixels,
        height=pixels,
        num_threads=num_threads,
        background=BACKGROUND,
        supersampling=supersampling,
        shadows=shadows,
    )


def _gl(batch: Batch, pixels: int, quality: str) -> Renderer:
    from envs.robots.pictures.gl import GlRenderer

    return GlRenderer(batch, width=pixels, height=pixels, quality=quality, background=BACKGROUND)
