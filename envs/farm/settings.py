"""Settings of environments: given by name, checked, each that is wrong in a sentence."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlplat.errors import ConfigError
from rlplat.problems import describe

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Unknown names are errors, and nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_Settings = TypeVar("_Settings", bound=Settings)


def read_settings(model: type[_Settings], environment: str, given: dict[str, Any]) -> _Settings:
    """Check settings given by name. Raises ConfigError with one sentence for each that is wrong."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        sentences = [sentence for _, sentence in describe(error, model)]
        raise ConfigError("\n".join(f"{environment}: {sentence}" for sentence in sentences)) from error
