"""The cameras of SeedlingTransplant: where they are meant to be, and where on the bench a pixel lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.robots.task import Array


@dataclass(frozen=True)
class Camera:
    """A camera that looks from one point at another, upright."""

    position_m: tuple[float, float, float]
    looks_at_m: tuple[float, float, float]
    fovy_deg: float

    def axes(self) -> Array:
        """Return the directions of the picture's right, its top, and backwards [3, 3]."""
        back = np.subtract(self.position_m, self.looks_at_m)
        right = np.cross((0.0, 0.0, 1.0), back)
        axes = np.stack([right, np.cross(back, right), back])
        return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))

    def mjcf(self, name: str, offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> str:
        """Return the camera as MJCF, in a body from whose origin it is `offset_m` further."""
        places = " ".join(f"{number:.6g}" for number in np.add(self.position_m, offset_m))
        axes = " ".join(f"{number:.6g}" for number in self.axes()[:2].ravel())
        return f'<camera name="{name}" pos="{places}" xyaxes="{axes}" fovy="{self.fovy_deg}"/>'

    def ground(
        self,
        rows: NDArray[Any],
        columns: NDArray[Any],
        pixels: int,
        height_m: float,
        origin: Array | None = None,
        turn: float = 0.0,
    ) -> Array:
        """Return which points [K, 2] (m) at a height are seen in pixels [K] of a square picture.

        `origin` [3] and `turn` (rad): of the body that carries the camera.
        """
        scale = np.tan(np.radians(self.fovy_deg) / 2)
        right = ((columns + 0.5) / pixels * 2 - 1) * scale
        up = (1 - (rows + 0.5) / pixels * 2) * scale
        rays = np.stack([right, up, -np.ones_like(right)], axis=1) @ self.axes()
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        start = rotation @ self.position_m + (0.0 if origin is None else origin)
        rays = rays @ rotation.T
        far = (height_m - start[2]) / np.minimum(rays[:, 2], -1e-6)
        points: Array = start[:2] + far[:, None] * rays[:, :2]
        return points


FRONT = Camera((1.02, 0.02, 0.88), (0.465, 0.02, 0.05), 39.0)
"""From where a grower stands."""
WRIST = Camera((0.066, 0.0, 0.128), (-0.006, 0.0, 0.0), 68.0)
"""From the hand, seen from the point between its fingers' tips, down on that point."""
