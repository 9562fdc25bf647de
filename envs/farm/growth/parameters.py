"""Crops and greenhouses as files of parameters. The table of them all: docs/farming.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rlplat.errors import ConfigError
from rlplat.problems import describe, suggestion
from rlplat.yaml_files import read_yaml

FOLDER = Path(__file__).parent

# Upper bounds lie far beyond any crop or greenhouse: what is above them is in another unit.
_Finite = Annotated[float, Field(ge=-1, le=1)]
_Share = Annotated[float, Field(gt=0, le=1)]
_Q10 = Annotated[float, Field(ge=0.1, le=10)]
_GrowthRate = Annotated[float, Field(gt=0, le=1e-3)]
_LossRate = Annotated[float, Field(ge=0, le=1e-3)]
_Conductance = Annotated[float, Field(gt=0, le=1)]
_Capacity = Annotated[float, Field(gt=0, le=1000)]
_Vapour = Annotated[float, Field(gt=0, le=1e5)]


class _Parameters(BaseModel):
    """Every number must be given: a crop with a forgotten parameter is no crop."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlantParameters(_Parameters):
    """Van Henten 1994: a plant of two states, non-structural and structural dry weight."""

    sugar_per_co2: _Share
    """c_alpha: g sugar per g CO2."""
    growth_yield: _Share
    """c_beta: g structure per g sugar; the rest is growth respiration."""
    growth_rate_per_s: _GrowthRate
    """c_gr: relative growth rate at 20 C with reserves without limit."""
    growth_saturation: Annotated[float, Field(gt=0, le=100)]
    """c_gamma: reserves per structure at which growth has half its rate."""
    growth_q10: _Q10
    shoot_respiration_per_s: _LossRate
    """c_resp,sht: at 25 C."""
    root_respiration_per_s: _LossRate
    """c_resp,rt: at 25 C."""
    respiration_q10: _Q10
    root_fraction: Annotated[float, Field(ge=0, lt=1)]
    """c_tau: roots' share of structural dry weight."""
    light_extinction: Annotated[float, Field(gt=0, le=10)]
    """c_K: of the canopy, per leaf area index."""
    leaf_area_m2_per_g: Annotated[float, Field(gt=0, le=10)]
    """c_lar: per g of structural shoot."""
    light_use_g_per_j: Annotated[float, Field(gt=0, le=1e-3)]
    """c_eps: g CO2 per J PAR without photorespiration."""
    compensation_ppm: Annotated[float, Field(ge=0, le=1000)]
    """c_Gamma: CO2 compensation point at 20 C."""
    compensation_q10: _Q10
    co2_density_g_per_m3_ppm: Annotated[float, Field(gt=0, le=0.1)]
    """c_omega: g CO2 per m3 air and ppm."""
    boundary_conductance_m_per_s: _Conductance
    stomatal_conductance_m_per_s: _Conductance
    carboxylation_m_per_s_c2: _Finite
    """c_car,1: carboxylation conductance is c_car,1 T^2 + c_car,2 T + c_car,3, T in C."""
    carboxylation_m_per_s_c: _Finite
    carboxylation_m_per_s: _Finite
    dry_matter_fraction: Annotated[float, Field(gt=0, lt=1)]
    """Shoot dry weight over shoot fresh weight."""

    @model_validator(mode="after")
    def _grows_somewhere(self) -> PlantParameters:
        a, b, c = self.carboxylation_m_per_s_c2, self.carboxylation_m_per_s_c, self.carboxylation_m_per_s
        if not any(a * t * t + b * t + c > 0 for t in range(0, 46)):
            raise ValueError("the carboxylation conductance is positive at no temperature from 0 to 45 C; check signs")
        return self


class CanopyParameters(_Parameters):
    """The crop's part of Van Henten 2003: one state, dry weight per floor area."""

    dry_weight_per_co2: _Share
    """c_alpha,beta: kg dry weight per kg CO2."""
    respiration_per_s: _LossRate
    """c_resp,d: loss of dry weight at 25 C."""
    respired_co2_per_s: _LossRate
    """c_resp,c: kg CO2 per kg dry weight at 25 C."""
    light_interception_m2_per_kg: Annotated[float, Field(gt=0, le=1e4)]
    """c_pl,d: effective canopy surface per dry weight."""
    light_use_kg_per_j: Annotated[float, Field(gt=0, le=1e-6)]
    """c_rad,phot: kg CO2 per J of global radiation outside; holds the cover's transmission."""
    conductance_m_per_s_c2: _Conductance
    """c_co2,1: CO2 conductance is -c_co2,1 T^2 + c_co2,2 T - c_co2,3, T in C."""
    conductance_m_per_s_c: _Finite
    conductance_m_per_s: _Finite
    compensation_kg_per_m3: Annotated[float, Field(ge=0, le=0.01)]
    """c_Gamma: CO2 compensation point."""
    transpiration_m_per_s: Annotated[float, Field(ge=0, le=1)]
    """c_v,pl,ai: vapour conductance of a closed canopy."""

    @model_validator(mode="after")
    def _grows_somewhere(self) -> CanopyParameters:
        if self.best_conductance_m_per_s <= 0:
            raise ValueError("the CO2 conductance is positive at no temperature from 0 to 45 C; check signs")
        return self

    @property
    def best_conductance_m_per_s(self) -> float:
        """The CO2 conductance at the best temperature from 0 to 45 C, to 0.1 C."""
        a, b, c = self.conductance_m_per_s_c2, self.conductance_m_per_s_c, self.conductance_m_per_s
        return max(-a * t * t + b * t - c for t in (tenth / 10 for tenth in range(451)))


class Crop(_Parameters):
    """A crop: the file that a user can replace."""

    name: str
    plant: PlantParameters
    canopy: CanopyParameters


class Greenhouse(_Parameters):
    """The greenhouse of Van Henten 2003, per m2 of floor, and what its actuators can do."""

    name: str
    co2_capacity_m: _Capacity
    """c_cap,c: m3 air per m2 floor."""
    vapour_capacity_m: _Capacity
    """c_cap,h."""
    heat_capacity_j_per_m2_c: Annotated[float, Field(gt=0, le=1e7)]
    """c_cap,q."""
    ventilation_heat_j_per_m3_c: Annotated[float, Field(ge=0, le=1e4)]
    """c_cap,q,v: heat that vented air carries."""
    wall_heat_loss_w_per_m2_c: Annotated[float, Field(ge=0, le=1000)]
    """c_ai,ou: through cover and walls."""
    solar_heat_fraction: Annotated[float, Field(ge=0, le=1)]
    """c_rad,q: share of global radiation that heats the air."""
    leakage_m_per_s: Annotated[float, Field(ge=0, le=1)]
    """c_leak: air exchange with closed vents."""
    leaf_vapour_j_per_m3: _Vapour
    """c_v,1: vapour at the leaf, 85 % of saturation."""
    saturation_vapour_j_per_m3: _Vapour
    """c_v,4: saturation."""
    saturation_exponent: Annotated[float, Field(gt=0, le=100)]
    """c_v,2."""
    saturation_temperature_c: Annotated[float, Field(ge=100, le=1000)]
    """c_v,3."""
    max_co2_kg_per_m2_s: Annotated[float, Field(ge=0, le=1e-3)]
    max_ventilation_m_per_s: Annotated[float, Field(ge=0, le=1)]
    max_heating_w_per_m2: Annotated[float, Field(ge=0, le=5000)]

    @model_validator(mode="after")
    def _leaves_are_not_wetter_than_saturation(self) -> Greenhouse:
        if self.leaf_vapour_j_per_m3 > self.saturation_vapour_j_per_m3:
            raise ValueError(
                f"leaf_vapour_j_per_m3 ({self.leaf_vapour_j_per_m3:g}) must not exceed saturation_vapour_j_per_m3 "
                f"({self.saturation_vapour_j_per_m3:g})"
            )
        return self


_Model = TypeVar("_Model", Crop, Greenhouse)


def load_crop(name: str = "lettuce") -> Crop:
    """Read a crop by the name of a shipped one or the path of a .yaml file.

    Raises ConfigError: no such crop; a missing, unknown or impossible parameter, each named with its file.
    """
    return _load(name, Crop, "crops")


def load_greenhouse(name: str = "van_henten") -> Greenhouse:
    """Read a greenhouse by the name of a shipped one or the path of a .yaml file. Errors: see `load_crop`."""
    return _load(name, Greenhouse, "greenhouses")


def _load(name: str, model: type[_Model], folder: str) -> _Model:
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        shipped = sorted(file.stem for file in (FOLDER / folder).glob("*.yaml"))
        if name not in shipped:
            raise ConfigError(f"{name!r} is none of the {folder}{suggestion(name, shipped)}; or give a .yaml file")
        path = FOLDER / folder / f"{name}.yaml"
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {sentence}" for _, sentence in describe(error, model))) from error
