"""Pictures of many simulations of primitive shapes, without OpenGL: arrays in, arrays out.

A ray goes through the centre of every pixel, so nothing is approximated by triangles. The bytes are the same on every
machine and for every number of threads. Light follows OpenGL's fixed pipeline, evaluated at every pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from rlplat import _core
from rlplat.errors import RlplatError
from rlplat.problems import suggestion

DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
ByteArray = npt.NDArray[np.uint8]

SHAPES = ("hidden", "plane", "sphere", "ellipsoid", "capsule", "cylinder", "box")
"""What can be drawn; the position of a name is its number in C++. A hidden geom is in no picture."""
LIGHT_OFF, LIGHT_DIRECTIONAL, LIGHT_POSITIONAL = range(3)


@dataclass
class Scene:
    """N simulations of G geoms, C cameras and L lights. The first axis is N, or 1 where all simulations share a value.

    Lengths are metres. A rotation has its matrix's rows one after another; it turns from the object's own frame into
    the world's. Colours are red, green, blue in [0, 1]. Arrays must be C-contiguous and exactly of these types.
    """

    geom_pos: DoubleArray
    """[N, G, 3]. A geom whose pose is not finite is not drawn."""
    geom_mat: DoubleArray
    """[N, G, 9]."""
    geom_size: DoubleArray
    """[N, G, 3]: radius and half length of the axis; half sizes of boxes, ellipsoids and planes (0: infinite)."""
    geom_rgba: FloatArray
    """[N, G, 4]: alpha 0 hides a geom, with any other it is opaque."""
    geom_surface: FloatArray
    """[N, G, 3]: emission, specular reflection, exponent of the highlight (0 to 128)."""
    geom_checker: FloatArray
    """[N, G, 10]: of planes, cells per metre along x and y (0: one colour), offset in cells, and the colours of even
    and odd cells, by which that of the geom is multiplied."""
    camera_pos: DoubleArray
    """[N, C, 3]."""
    camera_mat: DoubleArray
    """[N, C, 9]: x points to the right of the picture, y up, and the camera looks along -z."""
    camera_fovy: DoubleArray
    """[N, C, 1]: the whole vertical angle of view in degrees."""
    light_kind: IntArray
    """[N, L, 1]: `LIGHT_OFF`, `LIGHT_DIRECTIONAL` or `LIGHT_POSITIONAL`."""
    light_pos: DoubleArray
    """[N, L, 3]."""
    light_dir: DoubleArray
    """[N, L, 3]: where it shines, of length 1."""
    light_colour: FloatArray
    """[N, L, 9]: ambient, diffuse and specular colour."""
    light_attenuation: FloatArray
    """[N, L, 3]: a, b, c of 1 / (a + b d + c d^2) at distance d from a positional light."""
    light_beam: FloatArray
    """[N, L, 2]: half angle of a positional light's cone in degrees (180: none), and how fast it fades off the axis."""
    light_shadow: ByteArray
    """[N, L, 1]: 1 if the light casts shadows."""
    headlight: FloatArray
    """[N, 1, 9]: colours of a directional light along the camera's view, without shadows."""
    background: FloatArray
    """[N, 1, 3]: what is seen where there is nothing."""
    near: float
    """Nothing nearer to the camera's plane is drawn (metres, > 0)."""
    far: float
    """Nothing further away is drawn; the depth of the background."""


class Caster:
    """Draws scenes in which geom g has the shape `shapes[g]`, one of `SHAPES`.

    Pictures have `height` rows of `width` pixels, the upper left pixel first. `supersampling` takes the mean colour of
    2x2 rays per pixel, at four times the price. `shadows` are hard. The interpreter lock is released while
    `num_threads` threads work, a picture each; an object serves one caller at a time.
    """

    def __init__(
        self,
        shapes: Sequence[str],
        *,
        width: int,
        height: int,
        supersampling: bool = False,
        shadows: bool = False,
        num_threads: int = 1,
    ) -> None:
        unknown = [shape for shape in shapes if shape not in SHAPES]
        if unknown:
            raise RlplatError(f"no shape is named {unknown[0]!r}{suggestion(unknown[0], SHAPES)}")
        self.width, self.height = width, height
        self._core = _core.Caster(
            shapes=[SHAPES.index(shape) for shape in shapes],
            width=width,
            height=height,
            supersampling=supersampling,
            shadows=shadows,
            num_threads=num_threads,
        )

    def render(self, scene: Scene, num_simulations: int, *, camera: int = 0, out: ByteArray | None = None) -> ByteArray:
        """Return colours uint8[N, H, W, 3], in `out` if that is given."""
        if out is None:
            out = np.empty((num_simulations, self.height, self.width, 3), np.uint8)
        self._render(scene, num_simulations, camera, rgb_out=out)
        return out

    def render_depth(self, scene: Scene, num_simulations: int, *, camera: int = 0) -> tuple[FloatArray, IntArray]:
        """Return the distance along the view at the centre of each pixel, in metres, and which geom is seen there.

        float32[N, H, W] and int32[N, H, W]; `scene.far` and -1 where there is nothing.
        """
        shape = (num_simulations, self.height, self.width)
        depth, segmentation = np.empty(shape, np.float32), np.empty(shape, np.int32)
        self._render(scene, num_simulations, camera, depth_out=depth, segmentation_out=segmentation)
        return depth, segmentation

    def _render(self, scene: Scene, num_simulations: int, camera: int, **outputs: Any) -> None:
        inputs = {field.name: getattr(scene, field.name) for field in fields(scene)}
        self._core.render(camera=camera, num_simulations=num_simulations, **inputs, **outputs)
