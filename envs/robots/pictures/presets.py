"""How good MuJoCo's pictures are: settings of a model that is drawn from, which the model's owner never sees."""

from __future__ import annotations

import copy

import mujoco
import numpy as np

OFF = [int(getattr(mujoco.mjtRndFlag, f"mjRND_{name}")) for name in ("SHADOW", "REFLECTION", "SKYBOX", "HAZE")]
"""What pictures for training do without."""


def with_buffer(model: mujoco.MjModel, width: int, height: int) -> mujoco.MjModel:
    """Return a copy with room for pictures of that size, otherwise as it is."""
    copied = copy.copy(model)
    copied.vis.global_.offwidth = max(width, copied.vis.global_.offwidth)
    copied.vis.global_.offheight = max(height, copied.vis.global_.offheight)
    return copied


def for_training(model: mujoco.MjModel, width: int, height: int) -> mujoco.MjModel:
    """Return a copy that is drawn fast: some hundred times, for a model with a large shadow map on the CPU."""
    copied = copy.copy(model)
    visual = copied.vis
    visual.global_.offwidth, visual.global_.offheight = width, height
    visual.quality.shadowsize = visual.quality.offsamples = 0
    visual.quality.numslices, visual.quality.numstacks, visual.quality.numquads = 8, 4, 1
    copied.light_castshadow[:] = 0
    copied.mat_reflectance[:] = 0.0
    _bound_floors(copied)
    return copied


def _bound_floors(model: mujoco.MjModel) -> None:
    """Make planes of one piece, and let endless ones end beyond all that is seen: these have 40,000 pieces otherwise.

    The pieces serve lamps, whose light is interpolated between corners; a model with a lamp keeps them.
    """
    if np.any(model.light_type[model.light_active != 0] != mujoco.mjtLightType.mjLIGHT_DIRECTIONAL):
        return
    far = model.vis.map.zfar * model.stat.extent
    for geom in np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE):
        size, material = model.geom_size[geom], model.geom_matid[geom]
        if np.all(size[:2] > 0):
            size[2] = 2 * size[:2].max()  # the side of a piece
        elif not np.any(size[:2] > 0) and (material < 0 or np.sum(model.geom_matid == material) == 1):
            size[:] = far
            if material >= 0:
                # On an endless plane a texture lies from the origin on, on another one from its corner.
                model.mat_texuniform[material] = 1
                cells_per_m = np.maximum(model.mat_texrepeat[material], 1e-6)
                size[:2] = 2 * np.ceil(far * cells_per_m / 2) / cells_per_m
            size[2] = 2 * size[:2].max()
