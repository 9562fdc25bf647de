"""How an agent's trees are searched, for play and for self-play."""

from __future__ import annotations

from dataclasses import replace

from agents.alphazero.config import SearchConfig, root_noise_alpha
from rlplat.search.game import Game
from rlplat.search.parameters import SearchParams


def play_params(
    config: SearchConfig, num_simulations: int | None = None, *, lcb_deviations: float = 0.0
) -> SearchParams:
    """The search of play and analysis, without anything drawn at random; None: as many simulations as configured."""
    return SearchParams(
        num_simulations=config.num_simulations if num_simulations is None else num_simulations,
        c_base=config.c_base,
        c_init=config.c_init,
        fpu=config.fpu,
        fpu_value=config.fpu_value,
        prove=config.prove,
        selection=config.selection,
        gumbel_actions=config.gumbel_actions,
        c_visit=config.c_visit,
        c_scale=config.c_scale,
        lcb_deviations=lcb_deviations,
    )


def self_play_params(config: SearchConfig, game: Game) -> SearchParams:
    """The search of self-play: the same, with exploration at the root."""
    return replace(
        play_params(config),
        dirichlet_alpha=root_noise_alpha(config, game),
        noise_fraction=config.noise_fraction,
        shaped_noise=config.shaped_noise,
        root_temperature=config.root_temperature,
        forced_playouts=config.forced_playouts,
        gumbel_scale=config.gumbel_scale,
    )
