"""What can be set of every robot task, and the ranges from which its episodes are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlplat.errors import ConfigError
from rlplat.problems import describe

RendererName = Literal["cast", "gl"]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
_Steps = Annotated[int, Field(ge=0, le=20)]
_Count = Annotated[int, Field(ge=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Randomisation(_Settings):
    """How far an episode's world may lie from the nominal one; 0 leaves it there.

    A share s multiplies the nominal value by a factor from [1 - s, 1 + s]; anything else is added, from [-x, x].
    """

    mass: _Share = 0.0
    """Of every body, with its inertia."""
    friction: _Share = 0.0
    """Of all geoms alike: sliding friction."""
    damping: _Share = 0.0
    """Of every joint."""
    gain: _Share = 0.0
    """Of every actuator."""
    camera_position_m: _NotNegative = 0.0
    """Along each axis."""
    camera_angle_deg: Annotated[float, Field(ge=0, le=45)] = 0.0
    """About each axis of the camera."""
    camera_fovy_deg: Annotated[float, Field(ge=0, le=30)] = 0.0
    colour: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of every geom and channel, which are in [0, 1]."""
    texture: bool = False
    """Whether a material is chosen for the floor among those that the scene has for it."""
    light: _Share = 0.0
    """Brightness."""
    light_direction: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of each coordinate of the direction, whose length is 1."""
    num_distractors: Annotated[int, Field(ge=0, le=8)] = 0
    """Objects without meaning: 0 to as many stand about. They touch nothing."""
    action_delay_steps: _Steps = 0
    """Up to so many control steps more than `RobotSettings.action_delay_steps`."""
    observation_delay_steps: _Steps = 0
    """Likewise."""


class RobotSettings(_Settings):
    """Everything that can be set of any robot task. A task with settings of its own derives a class from this one."""

    pixels: Annotated[int, Field(ge=4, le=1024)] | None = 64
    """Height and width of the picture; null: no picture is drawn."""
    camera: str | Annotated[tuple[str, ...], Field(min_length=1)] = "front"
    """Its name in the scene; several: a picture of each, named after it. `render()` shows the first."""
    renderer: RendererName = "cast"
    """What draws observations: our ray-caster, or MuJoCo's renderer, which draws all that MuJoCo knows, by OpenGL."""
    video_renderer: RendererName | None = None
    """What draws the pictures of `render()`, in full quality; null: the same."""
    supersampling: bool = False
    """Whether a pixel is the mean of 2x2 rays, at four times the price; of the ray-caster, as `shadows`."""
    shadows: bool = False
    privileged: bool = True
    """Whether the observation has the group `privileged`."""
    action_repeat: _Count = 1
    """Control steps per decision: their rewards are added, and pictures are drawn once."""
    frame_stack: Annotated[int, Field(ge=1, le=16)] = 1
    """The newest pictures and readings, one behind the other along the last axis, the newest last."""
    action_delay_steps: _Steps = 0
    """Control steps until an action acts; before the first, the robot is told to do nothing."""
    observation_delay_steps: _Steps = 0
    """Decisions by which the group `policy` lags. `privileged` never does."""
    reading_noise: _NotNegative = 0.0
    """Standard deviation added to proprioception, in its own units."""
    camera_noise: _NotNegative = 0.0
    """Standard deviation added to pictures, in grey levels of 255."""
    randomisation: Randomisation = Randomisation()
    unstable_folder: Path | None = None
    """Where the state before a step that went wrong is saved; null: nowhere."""

    @property
    def cameras(self) -> dict[str, str]:
        """The camera of each picture of an observation, by the picture's name."""
        if isinstance(self.camera, str):
            return {"camera": self.camera}
        return {name: name for name in self.camera}

    @property
    def shown_camera(self) -> str:
        """The camera of `render()`."""
        return next(iter(self.cameras.values()))


S = TypeVar("S", bound=RobotSettings)


def read_settings(task: str, kind: type[S], given: dict[str, Any]) -> S:
    """Check settings given by name. Raises ConfigError with one sentence for each that is wrong."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        sentences = [sentence for _, sentence in describe(error, kind)]
        raise ConfigError("\n".join(f"{task}: {sentence}" for sentence in sentences)) from error
