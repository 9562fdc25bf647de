"""Everything that can be set in an AlphaZero agent: `agent:` in a configuration file.

A *position* is one state of a recorded game that has a policy target; an *update* is one step of the optimiser.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from rlplat.config import AgentConfig, ConfigModel

if TYPE_CHECKING:
    from rlplat.search.game import Game


class NetworkConfig(ConfigModel):
    """The residual tower and its two heads."""

    blocks: Annotated[int, Field(ge=0, le=80)] = 4
    """Residual blocks of two 3x3 convolutions. 4 see a whole 6x7 board; each costs its share of time in full."""
    channels: Annotated[int, Field(ge=1, le=1024)] = 32
    """Channels of the tower; multiples of 16 fill vector registers. A position costs in proportion to the square: 32 is
    what a CPU evaluates many thousands of times a second."""
    pooling_channels: Annotated[int, Field(ge=0, le=1024)] = 0
    """Channels whose mean and maximum over the board every second block adds to all its cells (global pooling, KataGo
    paper 3.3), so that one part of a large board knows of the others. 0: none. On the CPU such networks run in
    PyTorch, with its own number of threads, instead of our own kernels: for GPUs, above all."""
    value_head: Literal["scalar", "wdl"] = "scalar"
    """`scalar`: one number through tanh, as in the paper. `wdl`: probabilities of win, draw and loss, which tell a
    certain draw from an open game. scalar, as it needs no draws to be right and costs least."""
    policy_head: Literal["layer", "planes"] = "layer"
    """`layer`: one layer over the whole board, for any actions. `planes`: a convolution to planes of logits, as in the
    AlphaZero paper, for games whose actions are numbered plane by plane with one for each cell: chess has 73 planes,
    Gomoku and Hex without the swap rule one. What is learned of one cell then holds for all."""
    policy_channels: Annotated[int, Field(ge=1, le=256)] = 8
    """Channels of the policy head's 1x1 convolution. The paper's 2 starve boards whose actions are few."""
    value_channels: Annotated[int, Field(ge=1, le=256)] = 4
    """Channels of the value head's 1x1 convolution; more than the paper's 1 as our towers are narrow."""
    value_hidden: Annotated[int, Field(ge=1, le=4096)] = 64
    """Units of the value head's hidden layer (the paper: 256 on top of 256 channels)."""

    def pools(self, block: int) -> bool:
        """Whether block number `block`, from 0, has global pooling."""
        return self.pooling_channels > 0 and block % 2 == 1

    @property
    def num_value_logits(self) -> int:
        return 3 if self.value_head == "wdl" else 1


class SearchConfig(ConfigModel):
    """One search, and what self-play makes of its visit counts."""

    num_simulations: Annotated[int, Field(ge=2, le=1_000_000)] = 64
    """Simulations per move. 64 give small games a useful target; the paper's 800 pay on large boards only."""
    c_base: Annotated[float, Field(gt=0)] = 19652.0
    """Visits at which exploration starts to grow (AlphaZero paper, pseudocode)."""
    c_init: Annotated[float, Field(ge=0)] = 1.25
    """Exploration at few visits (AlphaZero paper, pseudocode)."""
    fpu: Literal["reduction", "constant"] = "reduction"
    """Value of an action not yet visited. `reduction`: the parent's value less `fpu_value` times the root of the prior
    that was visited so far; `constant`: `fpu_value` itself. A reduction follows the game, as KataGo found."""
    fpu_value: Annotated[float, Field(ge=-1, le=2)] = 0.2
    """See `fpu`; 0.2 is KataGo's reduction. Values are in [-1, 1] from the view of the player to move."""
    dirichlet_alpha: Annotated[float | None, Field(gt=0)] = None
    """Concentration of the root noise, above 0. null: 10 / mean number of legal actions, which gives the paper's 0.3 in
    chess and 0.03 in Go; see `root_noise_alpha`."""
    noise_fraction: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Share of the noise in the root's priors (AlphaZero paper); 0 switches it off."""
    shaped_noise: bool = False
    """Half of the noise goes to actions of higher prior (KataGo), which matters where legal actions are many."""
    root_temperature: Annotated[float, Field(gt=0, le=10)] = 1.0
    """The root's priors in self-play become prior ** (1 / root_temperature), renormalised; KataGo: 1.1 to 1.25 against
    policies that grow certain too soon."""
    forced_playouts: Annotated[float, Field(ge=0, le=100)] = 0.0
    """k: in self-play an action of the root that was visited gets at least sqrt(k * prior * visits of all) visits, and
    what its score did not earn is taken off the policy target again (KataGo paper 3.2: 2). 0: none."""
    temperature: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Actions are drawn in proportion to visit_counts ** (1 / temperature) in the first plies; 1 as in the paper. It
    never enters the policy target."""
    temperature_plies: Annotated[int, Field(ge=0)] = 12
    """Plies of a game for which `temperature` holds, the random opening included. 12 are a third of a game of Connect
    Four (the paper: 30 plies of a game of chess)."""
    final_temperature: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Temperature after that; 0 takes the most visited action."""
    prove: bool = True
    """Moves that win at once are seen at every leaf, and results that follow from finished games in the tree count as
    exact, in play and in the policy target. The paper lets such values average out; with proofs few simulations see
    tactics (docs/results.md). Costs a call of the rules per legal action at each leaf."""
    reuse_subtree: bool = True
    """Keep the chosen action's subtree for the next move; its simulations then come on top of what is kept. With
    `selection: gumbel` every search starts afresh."""
    selection: Literal["puct", "gumbel"] = "puct"
    """`puct` as in AlphaZero, or `gumbel`: sequential halving at the root and improved policies as targets (Danihelka
    et al. 2022), which learns from as few as 2 to 16 simulations. In self-play the noise at the root then stands for
    `noise_fraction` and `temperature`; fpu, c_base and c_init mean nothing."""
    gumbel_actions: Annotated[int, Field(ge=1, le=65535)] = 16
    """`gumbel`: actions that the root tries at most (the paper: 16; 2 to 4 where simulations are few)."""
    c_visit: Annotated[float, Field(ge=0)] = 50.0
    """`gumbel`: visits that q_values are worth at least beside the priors (the paper)."""
    c_scale: Annotated[float, Field(ge=0)] = 0.1
    """`gumbel`: weight of q_values, scaled to [0, 1], beside the logarithms of the priors (mctx: 0.1)."""
    gumbel_scale: Annotated[float, Field(ge=0)] = 1.0
    """`gumbel`: scale of the noise at the root in self-play (the paper: 1)."""

    @property
    def keeps_subtree(self) -> bool:
        return self.reuse_subtree and self.selection == "puct"


class SelfPlayConfig(ConfigModel):
    """Games that one actor plays."""

    num_games: Annotated[int, Field(ge=1, le=1_000_000)] = 128
    """Games played at once. Those of one group fill one batch of the network: 128 in 2 groups give batches of 64."""
    num_groups: Annotated[int | None, Field(ge=1, le=8)] = None
    """Groups of games that alternate, so that tree work and network work overlap. null: 2 where the network runs on a
    GPU; 1 on the CPU, where an actor's cores are never idle and larger batches are worth more."""
    cache_mib: Annotated[int, Field(ge=0, le=1 << 20)] = 64
    """Bound of the evaluation cache in MiB; 0: no cache. Openings repeat most, so a small cache catches most of it."""
    opening_plies: Annotated[int, Field(ge=0, le=1000)] = 4
    """A game starts with 0 to this many random plies, drawn evenly, which have no policy target: variety beyond what
    noise and temperature find."""
    fast_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the moves that are played after a fast search of `fast_simulations` without noise and get no policy
    target, so that more games are seen per full search (playout cap randomisation, KataGo paper 3.1: 0.75)."""
    fast_simulations: Annotated[int, Field(ge=1)] = 16
    """See `fast_share`; at most `search.num_simulations`. KataGo: a sixth of a full search."""
    resign_errors: Annotated[float | None, Field(gt=0, lt=1)] = None
    """Players resign as early as no more than this share of what they resign was not lost (AlphaGo Zero: 0.05), which
    saves the ends of long games; a collector measures it on games that are played on. null: nobody resigns."""
    played_on_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """With `resign_errors`: share of the games that are played to the end all the same (AlphaGo Zero: 0.1)."""
    collect_positions: Annotated[int, Field(ge=1)] = 2000
    """New positions per call of a collector: some seconds of work, so weights are fresh and messages few."""

    @model_validator(mode="after")
    def _groups_are_even(self) -> SelfPlayConfig:
        if self.num_games % (self.num_groups or 1):
            raise ValueError(f"num_games is {self.num_games}, it must be a multiple of num_groups = {self.num_groups}")
        return self

    def resolve_num_groups(self, device: Literal["cpu", "cuda"]) -> int:
        """Groups as configured, or those that suit the device; an odd number of games stays in one group."""
        if self.num_groups is not None:
            return self.num_groups
        return 2 if device == "cuda" and self.num_games % 2 == 0 else 1


class PlayConfig(ConfigModel):
    """What differs where moves are played to win: in evaluations, matches and at the board, never in self-play."""

    lcb_deviations: Annotated[float, Field(ge=0, le=100)] = 2.0
    """z: the move played is that of the highest lower confidence bound q - z * standard error, of those with at least
    15 % of the most visits (KataGo: 5), worth some 20 to 40 Elo here (docs/results.md). 0: the most visited one, as
    always with `selection: gumbel`."""
    leaves_per_search: Annotated[int, Field(ge=1, le=64)] = 1
    """Leaves of one tree that are evaluated at once where few positions are searched, by visits that count before they
    are evaluated (Liu et al. 2020, "Watch the unobserved") and virtual losses. More are faster, above all on a GPU, and
    a little weaker for the same number of simulations."""


class ReplayConfig(ConfigModel):
    """The window of newest games that batches are drawn from; it grows with the run (KataGo paper, appendix C)."""

    min_positions: Annotated[int, Field(ge=1)] = 4000
    """Positions before the first update. Fewer, and the first updates learn a handful of games by heart."""
    window_start: Annotated[int, Field(ge=1)] = 20_000
    """c: everything is kept up to this many positions, then the window grows more slowly than the run."""
    window_exponent: Annotated[float, Field(gt=0, le=1)] = 0.75
    """alpha: late growth as a power of the run's positions (KataGo: 0.75)."""
    window_growth: Annotated[float, Field(gt=0, le=1)] = 0.4
    """beta: the share of new positions that enlarge the window at `window_start` (KataGo: 0.4)."""
    max_positions: Annotated[int, Field(ge=100)] = 1_000_000
    """Bound of the memory, in stored positions: about 60 MB for a million positions of Connect Four."""

    @model_validator(mode="after")
    def _fits(self) -> ReplayConfig:
        for name in ("min_positions", "window_start"):
            if getattr(self, name) > self.max_positions:
                raise ValueError(
                    f"{name} is {getattr(self, name)}, it must be at most max_positions = {self.max_positions}"
                )
        return self

    def window(self, num_positions: int) -> int:
        """Positions to keep once the run has brought `num_positions`: c (1 + beta ((N/c)^alpha - 1) / alpha)."""
        ratio = max(1.0, num_positions / self.window_start)
        growth = 1.0 + self.window_growth * (ratio**self.window_exponent - 1.0) / self.window_exponent
        return min(self.max_positions, int(self.window_start * growth))


class TrainingConfig(ConfigModel):
    """The optimiser and what it minimises."""

    batch_size: Annotated[int, Field(ge=2, le=1 << 16)] = 256
    """Positions per update; below 32 the batch normalisation gets noisy."""
    samples_per_position: Annotated[float, Field(gt=0, le=1000)] = 4.0
    """How often a position is drawn on average over its life (replay ratio). KataGo uses up to 4; more saves self-play
    and risks learning games by heart."""
    max_owed_updates: Annotated[int, Field(ge=1)] = 200
    """Collectors wait once the learner is this many updates behind: some seconds of its work."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """`sgd`: with momentum, as in the paper; `adamw`: settles faster in short runs, at a rate of about 0.001."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.02
    """At its highest. 0.02 suits SGD at batches of 256 (the paper: 0.2 at 4096); AdamW wants about 0.001."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """SGD's momentum, AdamW's first beta (its second is 0.999)."""
    lr_schedule: Literal["constant", "step", "cosine"] = "constant"
    """Over updates, never over time. `constant`, `step` or `cosine`; constant suits runs that a clock ends."""
    warmup_updates: Annotated[int, Field(ge=0)] = 100
    """The rate rises in a line from 0 over this many updates, while the batch normalisation settles."""
    lr_step_updates: tuple[int, ...] = ()
    """`step`: the rate is multiplied by `lr_step_factor` at each of these updates (ascending)."""
    lr_step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """See `lr_step_updates`; the paper's factor."""
    lr_total_updates: Annotated[int, Field(ge=1)] = 10_000
    """`cosine`: the update at which the rate has come down to `lr_final_fraction`; it stays there."""
    lr_final_fraction: Annotated[float, Field(ge=0, le=1)] = 0.05
    """`cosine`: the last rate as a share of `learning_rate`."""
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """L2 regularisation of convolution and layer weights (the paper's c), not of biases and batch normalisation."""
    max_gradient_norm: Annotated[float | None, Field(gt=0)] = 5.0
    """Gradients with a larger norm are scaled down to it: a guard against single bad batches. null: no clipping."""
    value_weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Weight of the value loss beside the policy loss (the paper: 1)."""
    value_target_mix: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the search's root value in the value target, the rest is the game's outcome; 0 as in the paper. Root
    values are less noisy and more biased."""
    surprise_weight: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of a game's weight in training that goes to its positions in proportion to how far the policy target is
    from the network's policy then, by Kullback-Leibler divergence (policy surprise weighting, KataGo: 0.5); the rest
    is spread evenly. No position is drawn more than 8 times as often as it would be otherwise."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Published weights are the exponential moving average over about 1 / (1 - ema_decay) updates, which plays better
    than the newest weights; 0: publish the newest."""
    publish_every: Annotated[int, Field(ge=1)] = 50
    """Updates between two published versions. Each empties the evaluation caches, and a session takes 10 ms to make."""

    @model_validator(mode="after")
    def _steps_ascend(self) -> TrainingConfig:
        steps = self.lr_step_updates
        if list(steps) != sorted(set(steps)) or any(step <= 0 for step in steps):
            raise ValueError(f"lr_step_updates is {list(steps)}, it must be positive and ascending")
        if (self.lr_schedule == "step") != bool(steps):
            raise ValueError(
                f"lr_schedule is {self.lr_schedule!r} with lr_step_updates {list(steps)}: "
                'give the updates at which the rate falls for "step", and none otherwise'
            )
        return self

    def learning_rate_at(self, update: int) -> float:
        """The learning rate of update number `update`, the first being 0."""
        rate = self.learning_rate * min(1.0, (update + 1) / (self.warmup_updates + 1))
        if self.lr_schedule == "step":
            return rate * self.lr_step_factor ** sum(update >= step for step in self.lr_step_updates)
        if self.lr_schedule == "cosine":
            progress = min(1.0, update / self.lr_total_updates)
            share = 0.5 * (1.0 + math.cos(math.pi * progress))
            return rate * (self.lr_final_fraction + (1.0 - self.lr_final_fraction) * share)
        return rate


class AlphaZeroConfig(AgentConfig):
    """The agent part of a configuration that trains by self-play."""

    network: NetworkConfig = NetworkConfig()
    search: SearchConfig = SearchConfig()
    self_play: SelfPlayConfig = SelfPlayConfig()
    play: PlayConfig = PlayConfig()
    replay: ReplayConfig = ReplayConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _parts_agree(self) -> AlphaZeroConfig:
        play, search = self.self_play, self.search
        if play.fast_share > 0 and play.fast_simulations > search.num_simulations:
            raise ValueError(
                f"self_play.fast_simulations is {play.fast_simulations}, it must be at most search.num_simulations = "
                f"{search.num_simulations}"
            )
        return self


def root_noise_alpha(config: SearchConfig, game: Game, *, num_games: int = 32) -> float:
    """Return `dirichlet_alpha`, or if that is None 10 / the mean number of legal actions over random games.

    The games are the same ones each time.
    """
    if config.dirichlet_alpha is not None:
        return config.dirichlet_alpha
    rng = np.random.default_rng(0)
    num_legal = []
    for _ in range(num_games):
        state = game.initial_state()
        while not state.is_terminal:
            legal = state.legal_actions()
            num_legal.append(len(legal))
            state.apply(int(rng.choice(legal)))
    return 10.0 / float(np.mean(num_legal))
