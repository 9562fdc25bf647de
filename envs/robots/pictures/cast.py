"""Reads a model and a batch of MuJoCo into the arrays of the ray-caster."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import mujoco
import numpy as np
from mujoco import batch as mujoco_batch

from envs.robots.pictures.cameras import find_camera
from envs.robots.pictures.textures import checker_colours, checker_layout
from rlplat.errors import SceneError
from rlplat.render.cast import (
    LIGHT_DIRECTIONAL,
    LIGHT_OFF,
    LIGHT_POSITIONAL,
    ByteArray,
    Caster,
    FloatArray,
    IntArray,
    Scene,
)

SHAPES = {
    mujoco.mjtGeom.mjGEOM_PLANE: "plane",
    mujoco.mjtGeom.mjGEOM_SPHERE: "sphere",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_BOX: "box",
}
LIGHT_KINDS = {
    mujoco.mjtLightType.mjLIGHT_SPOT: LIGHT_POSITIONAL,
    mujoco.mjtLightType.mjLIGHT_POINT: LIGHT_POSITIONAL,
    mujoco.mjtLightType.mjLIGHT_DIRECTIONAL: LIGHT_DIRECTIONAL,
    mujoco.mjtLightType.mjLIGHT_IMAGE: LIGHT_OFF,  # MuJoCo's classic renderer leaves them out, too
}
_LIGHT_KIND_NUMBERS = np.array([LIGHT_KINDS[mujoco.mjtLightType(kind)] for kind in range(len(LIGHT_KINDS))], np.int32)
GROUPS = (0, 1, 2)
"""The groups of geoms that MuJoCo shows by default."""
DEFAULT_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
"""A geom of just this colour takes that of its material."""
PLAIN_SURFACE = (0.0, 0.5, 0.5)
"""Emission, specular, shininess of geoms without material."""
FULL_SHININESS = 128.0
"""Exponent of a highlight at shininess 1."""
LOOK = (
    *("geom_size", "geom_rgba", "geom_matid"),
    *("mat_rgba", "mat_emission", "mat_specular", "mat_shininess"),
    *("mat_texid", "mat_texrepeat", "mat_texuniform"),
)
"""The fields of a model that make up how its geoms look."""


class CastRenderer:
    """Draws the simulations of a batch as they are after its last call.

    Geoms of `groups` are drawn; sites, tendons, contacts and the sky are not. Every field that the batch expands
    differs between simulations: colours, materials and their chess boards, sizes, fields of view, lights.
    After `batch.step` poses are those before the last substep, unless it was called with `stage`.

    SceneError names a geom that cannot be drawn. `width`, `height` and the other options are those of `Caster`.
    """

    def __init__(
        self,
        batch: mujoco_batch.Batch,
        *,
        width: int,
        height: int,
        supersampling: bool = False,
        shadows: bool = False,
        num_threads: int = 1,
        groups: Collection[int] = GROUPS,
        background: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self._batch, self._model = batch, batch.model
        shapes = _shapes(self._model, groups)
        self._is_plane = np.array([shape == "plane" for shape in shapes])
        self._visible = np.array([shape != "hidden" for shape in shapes])
        self._background = np.array(background, np.float32).reshape(1, 1, 3)
        self._check_textures(self._model.mat_texid[None])
        self._caster = Caster(
            shapes,
            width=width,
            height=height,
            supersampling=supersampling,
            shadows=shadows,
            num_threads=num_threads,
        )

    def render(self, camera: str | int, *, out: ByteArray | None = None) -> ByteArray:
        """Return colours uint8[N, H, W, 3], in `out` if that is given; SceneError if there is no such camera."""
        return self._caster.render(self.scene(), self._batch.nsim, camera=self._camera(camera), out=out)

    def render_depth(self, camera: str | int) -> tuple[FloatArray, IntArray]:
        """Return depth float32[N, H, W] in metres and ids of geoms int32[N, H, W] (-1: nothing)."""
        return self._caster.render_depth(self.scene(), self._batch.nsim, camera=self._camera(camera))

    def scene(self) -> Scene:
        """Return the batch as the caster takes it; poses are views that follow the batch."""
        batch, model = self._batch, self._model
        look = self._look()
        kinds = _LIGHT_KIND_NUMBERS[self._field("light_type")]
        beam = self._field("light_cutoff"), self._field("light_exponent")
        is_point = self._field("light_type") == mujoco.mjtLightType.mjLIGHT_POINT
        scale = model.stat.extent
        return Scene(
            geom_pos=batch.bind("geom_xpos"),
            geom_mat=batch.bind("geom_xmat"),
            geom_size=self._field("geom_size"),
            geom_rgba=look[0],
            geom_surface=look[1],
            geom_checker=look[2],
            camera_pos=batch.bind("cam_xpos"),
            camera_mat=batch.bind("cam_xmat"),
            camera_fovy=self._field("cam_fovy")[..., None],
            light_kind=np.where(self._field("light_active"), kinds, LIGHT_OFF)[..., None].astype(np.int32),
            light_pos=batch.bind("light_xpos"),
            light_dir=batch.bind("light_xdir"),
            light_colour=self._joined("light_ambient", "light_diffuse", "light_specular"),
            light_attenuation=self._field("light_attenuation"),
            light_beam=_stacked(np.where(is_point, np.float32(180.0), beam[0]), beam[1]),
            light_shadow=self._field("light_castshadow").astype(np.uint8)[..., None],
            headlight=self._headlight,
            background=self._background,
            near=model.vis.map.znear * scale,
            far=model.vis.map.zfar * scale,
        )

    def _field(self, name: str) -> np.ndarray:
        """Return a model field as [N, ...] where the batch expands it, otherwise [1, ...]."""
        expanded = self._batch.expanded(name)
        return getattr(self._model, name)[None] if expanded is None else expanded

    def _joined(self, *names: str) -> np.ndarray:
        parts = np.broadcast_arrays(*map(self._field, names))
        return np.ascontiguousarray(np.concatenate(parts, axis=-1))

    def _look(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        if any(self._batch.expanded(name) is not None for name in LOOK):
            return self._make_look()
        return self._shared_look

    @cached_property
    def _shared_look(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self._make_look()

    @cached_property
    def _headlight(self) -> FloatArray:
        light = self._model.vis.headlight
        colours = np.concatenate([light.ambient, light.diffuse, light.specular]).astype(np.float32)
        return (colours if light.active else np.zeros_like(colours)).reshape(1, 1, 9)

    @cached_property
    def _checker_colours(self) -> FloatArray:
        return checker_colours(self._model)

    def _make_look(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return colours [N, G, 4], surfaces [N, G, 3] and chess boards [N, G, 10] of geoms; N may be 1."""
        num = max(len(self._field(name)) for name in LOOK)
        fields = {name: np.broadcast_to(self._field(name), (num, *self._field(name).shape[1:])) for name in LOOK}
        rgba = fields["geom_rgba"].copy()
        surface = np.full((*rgba.shape[:2], 3), PLAIN_SURFACE, np.float32)
        checker = np.zeros((*rgba.shape[:2], 10), np.float32)
        simulations, geoms = np.nonzero(fields["geom_matid"] >= 0)
        if len(geoms):
            self._check_textures(fields["mat_texid"])
            materials = simulations, fields["geom_matid"][simulations, geoms]
            own = rgba[simulations, geoms]
            plain = np.all(own == DEFAULT_RGBA, axis=-1, keepdims=True)
            rgba[simulations, geoms] = np.where(plain, fields["mat_rgba"][materials], own)
            reflection = [fields[f"mat_{name}"][materials] for name in ("emission", "specular", "shininess")]
            surface[simulations, geoms] = np.stack(reflection, axis=-1)
            self._lay_checkers(checker, fields, simulations, geoms)
        surface[..., 2] *= FULL_SHININESS
        return rgba, surface, checker

    def _lay_checkers(
        self, checker: FloatArray, fields: dict[str, np.ndarray], simulations: IntArray, geoms: IntArray
    ) -> None:
        materials = fields["geom_matid"][simulations, geoms]
        textures = fields["mat_texid"][simulations, materials, mujoco.mjtTextureRole.mjTEXROLE_RGB]
        laid = (textures >= 0) & self._is_plane[geoms]
        simulations, geoms, materials, textures = (x[laid] for x in (simulations, geoms, materials, textures))
        if not len(geoms):
            return
        checker[simulations, geoms, :4] = checker_layout(
            fields["geom_size"][simulations, geoms, :2],
            fields["mat_texrepeat"][simulations, materials],
            fields["mat_texuniform"][simulations, materials].astype(bool),
        )
        checker[simulations, geoms, 4:] = self._checker_colours[textures].reshape(-1, 6)

    def _check_textures(self, texid: IntArray) -> None:
        """SceneError if a geom wears a texture [N, materials, roles] other than a chess board on a plane."""
        model = self._model
        if not model.nmat:
            return
        used = texid[:, :, mujoco.mjtTextureRole.mjTEXROLE_RGB]
        for geom in np.flatnonzero(self._visible & (model.geom_matid >= 0)):
            textures = np.unique(used[:, model.geom_matid[geom]])
            for texture in textures[textures >= 0]:
                if self._is_plane[geom] and np.isfinite(self._checker_colours[texture]).all():
                    continue
                raise SceneError(
                    f"geom {_name(model, mujoco.mjtObj.mjOBJ_GEOM, geom)} wears the texture "
                    f"{_name(model, mujoco.mjtObj.mjOBJ_TEXTURE, texture)}; the ray-caster draws no texture but "
                    "builtin='checker', type='2d' on planes; give the geom a material without texture, or set "
                    "`renderer: gl` (MuJoCo's renderer)"
                )

    def check_camera(self, camera: str | int) -> None:
        """Raise SceneError if there is no such camera, or none that can be drawn."""
        self._camera(camera)

    def _camera(self, camera: str | int) -> int:
        model = self._model
        index = find_camera(model, camera)
        if model.cam_projection[index] != mujoco.mjtProjection.mjPROJ_PERSPECTIVE or model.cam_sensorsize[index].any():
            raise SceneError(
                f"camera {_name(model, mujoco.mjtObj.mjOBJ_CAMERA, index)} is orthographic or has a sensor size; the "
                "ray-caster draws perspective pictures of a fovy; give the camera one, or set `renderer: gl`"
            )
        return index


def _shapes(model: mujoco.MjModel, groups: Collection[int]) -> list[str]:
    """Return the caster's name of every geom's shape; SceneError if one that is to be seen has none."""
    if model.nflex or model.nskin:
        raise SceneError(f"the model has {model.nflex} flexes and {model.nskin} skins; {_REMEDY}")
    shapes = []
    for geom, kind in enumerate(model.geom_type):
        if model.geom_group[geom] not in groups:
            shapes.append("hidden")
        elif mujoco.mjtGeom(kind) in SHAPES:
            shapes.append(SHAPES[mujoco.mjtGeom(kind)])
        else:
            name = _name(model, mujoco.mjtObj.mjOBJ_GEOM, geom)
            what = mujoco.mjtGeom(kind).name.removeprefix("mjGEOM_").lower()
            raise SceneError(f"geom {name} is of type {what}; {_REMEDY}")
    return shapes


_REMEDY = (
    f"the ray-caster draws {', '.join(SHAPES.values())}; model it with these, move what need not be seen into a group "
    f"other than {', '.join(map(str, GROUPS))}, or set `renderer: gl` (MuJoCo's renderer)"
)


def _name(model: mujoco.MjModel, kind: mujoco.mjtObj, index: int) -> str:
    return repr(mujoco.mj_id2name(model, kind, index) or int(index))


def _stacked(*parts: np.ndarray) -> FloatArray:
    return np.stack(np.broadcast_arrays(*parts), axis=-1).astype(np.float32)
