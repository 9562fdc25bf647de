"""Which of a model's textures are chess boards, and how they lie on planes."""

from __future__ import annotations

import mujoco
import numpy as np

from rlplat.render.cast import DoubleArray, FloatArray

LEAST_SHARE = 0.9
"""Of a quadrant's pixels that have its colour; the others are marks along the edges."""


def checker_colours(model: mujoco.MjModel) -> FloatArray:
    """Return float32[textures, 2, 3], the colours of even and odd cells in [0, 1]; NaN if it is no chess board."""
    colours = np.full((model.ntex, 2, 3), np.nan, np.float32)
    for texture in range(model.ntex):
        if model.tex_type[texture] != mujoco.mjtTexture.mjTEXTURE_2D or model.tex_nchannel[texture] < 3:
            continue
        shape = model.tex_height[texture], model.tex_width[texture], model.tex_nchannel[texture]
        begin = model.tex_adr[texture]
        image = model.tex_data[begin : begin + np.prod(shape)].reshape(shape)[..., :3]
        found = _two_colours(image)
        if found is not None:
            colours[texture] = found
    return colours


def _two_colours(image: np.ndarray) -> FloatArray | None:
    """Return the colours [2, 3] of an image of 2x2 cells, or None."""
    middle = image.shape[0] // 2, image.shape[1] // 2
    cells = {}
    for row, column in np.ndindex(2, 2):
        vertical = slice(middle[0]) if row == 0 else slice(middle[0], None)
        horizontal = slice(middle[1]) if column == 0 else slice(middle[1], None)
        pixels = image[vertical, horizontal].reshape(-1, 3)
        if len(pixels) == 0:
            return None
        cells[row, column] = np.median(pixels, axis=0)
        if np.mean(np.all(pixels == cells[row, column], axis=1)) < LEAST_SHARE:
            return None
    if np.any(cells[0, 0] != cells[1, 1]) or np.any(cells[0, 1] != cells[1, 0]):
        return None
    return np.stack([cells[0, 0], cells[0, 1]]).astype(np.float32) / np.float32(255.0)


def checker_layout(half_size: DoubleArray, repeat: FloatArray, uniform: np.ndarray) -> DoubleArray:
    """Return float64[..., 4]: cells per metre along x and y of planes, and the offset in cells.

    `half_size` [..., 2] of planes (0: infinite), `repeat` [..., 2] and `uniform` [...] of their materials. A texture
    has 2x2 cells and its first row lies at the largest y. It is repeated half as often as `repeat` says over a metre
    (uniform, or an infinite plane) or over a half size.
    """
    by_size = (half_size > 0) & ~uniform[..., None]
    cells_per_metre = repeat / np.where(by_size, half_size, 1.0)
    offset = cells_per_metre * half_size
    # Even cells that are counted downwards from one edge are odd when counted upwards.
    return np.concatenate([cells_per_metre, offset[..., :1], 1.0 - offset[..., 1:]], axis=-1)
