"""Networks and settings that the agents for tasks share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rlplat.config import ConfigModel, Count

Schedule = Literal["constant", "linear"]


class NetworkConfig(ConfigModel):
    """What actor and critic are made of; each has its own."""

    hidden: tuple[Count, ...] = (64, 64)
    """Units of the fully connected layers. Two of 64 are what Schulman et al. 2017 used for states."""
    activation: Literal["tanh", "relu"] = "tanh"
    """Between layers. tanh keeps policies for states tame; relu learns faster from pictures."""
    channels: tuple[Count, ...] = (32, 32, 32)
    """Filters of the convolutions, which see pictures; the last ones are the feature points."""
    kernels: Annotated[tuple[Count, ...], Field(min_length=1)] = (5,)
    """Sides of the filters in pixels, by layer; the last one holds for all further layers."""
    strides: Annotated[tuple[Count, ...], Field(min_length=1)] = (2, 1)
    """Pixels by which a filter moves, by layer; the last one holds for all further layers. Every 2 quarters the work of
    what follows: (2, 2, 1) with smaller filters makes updates several times as fast."""
    pool: Literal["spatial_softmax", "flatten"] = "spatial_softmax"
    """How filters become numbers: where each one sees most (two numbers each), or all of its responses."""
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    """Of the convolutions' arithmetic. bfloat16 takes half the time on processors that have instructions for it
    (AVX512-BF16, AMX) and on GPUs, and longer on others; `auto`: there alone, so results then depend on the machine."""
    blind: bool = False
    """Whether every picture is black, in training, collection and evaluation: the control experiment. A task that is
    learned so does not need its camera."""


class DiscountConfig(ConfigModel):
    """How rewards to come count."""

    discount: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Of the next step's return, above 0 to 1: 0.99 looks about 100 steps ahead."""
    trace: Annotated[float, Field(ge=0, le=1)] = 0.95
    """lambda of generalised advantage estimation, 0 to 1: 0 trusts the critic alone, 1 the rewards alone."""
