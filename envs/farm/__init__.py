"""Farms: growth models of plants and greenhouses, and environments on them. Units are name suffixes."""

from gymnasium.envs.registration import register

register(
    id="rlplat/LettuceClimate-v0",
    entry_point="envs.farm.climate.lettuce_climate:LettuceClimate",
    vector_entry_point="envs.farm.climate.lettuce_climate:LettuceClimateVector",
)
register(
    id="rlplat/GreenhouseSpacing-v0",
    entry_point="envs.farm.spacing.greenhouse_spacing:GreenhouseSpacing",
    vector_entry_point="envs.farm.spacing.greenhouse_spacing:GreenhouseSpacingVector",
)
register(
    id="rlplat/SeedlingTransplant-v0",
    entry_point="envs.farm.seedlings.env:SeedlingEnv",
    vector_entry_point="envs.farm.seedlings.env:SeedlingVector",
)
register(
    id="rlplat/FarmDay-v0",
    entry_point="envs.farm.day.farm_day:FarmDay",
    vector_entry_point="envs.farm.day.farm_day:FarmDayVector",
)
