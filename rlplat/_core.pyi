"""
The compiled core of rlplat: games, search, drawing of training batches, inference on the CPU, and rendering.
"""

from collections.abc import Sequence
from typing import Annotated, Any, overload

import numpy
from numpy.typing import NDArray


def describe_library(path: str) -> dict[str, Any]:
    """
    Name and parameters of a compiled game. RuntimeError if the library is none or of another contract.
    """

class Game:
    """A compiled game with its parameters set."""

    def __init__(self, library: str, values: Sequence[float]) -> None:
        """
        `values`: the parameters in the table's order. ValueError if the game refuses them.
        """

    @staticmethod
    def of_python(rules: object) -> Game:
        """A game of rlplat.search.python_rules.PythonRules."""

    @property
    def name(self) -> str: ...

    @property
    def num_actions(self) -> int: ...

    @property
    def max_legal_actions(self) -> int: ...

    @property
    def plane_shape(self) -> tuple[int, int, int]: ...

    @property
    def min_length(self) -> int: ...

    @property
    def max_length(self) -> int: ...

    @property
    def num_symmetries(self) -> int: ...

    @property
    def state_size(self) -> int: ...

    @property
    def past_length(self) -> int: ...

    @property
    def notations(self) -> list[str]:
        """
        Ways to write an action, the game's own first; empty where there is only one.
        """

    @property
    def parses_actions(self) -> bool: ...

    @property
    def parses_states(self) -> bool: ...

    @property
    def has_heuristic(self) -> bool: ...

    @property
    def exact_score_from(self) -> int:
        """
        Plies from which on exact scores take seconds at most; -1: there are none.
        """

    def symmetry(self, index: int, cells: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')], actions: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')]) -> None: ...

class Position:
    """A game from its start to some position."""

    @overload
    def __init__(self, game: Game) -> None: ...

    @overload
    def __init__(self, game: Game, text: str) -> None:
        """
        A game that starts where `text` says. The caller has checked that the game parses states; ValueError if it refuses this one.
        """

    def copy(self) -> Position: ...

    def start(self) -> Position:
        """Where the game began."""

    def apply(self, action: int) -> None:
        """The caller has checked that the action is legal."""

    def legal_actions(self) -> list[int]:
        """Ascending; empty once the game is over."""

    def winning_action(self) -> int | None:
        """A legal action that wins at once, as far as the rules know one."""

    @property
    def player(self) -> int: ...

    @property
    def num_moves(self) -> int: ...

    @property
    def actions(self) -> list[int]: ...

    @property
    def returns(self) -> list[float] | None:
        """Per player, or None while the game goes on."""

    @property
    def hash(self) -> int: ...

    @property
    def evaluation_key(self) -> int: ...

    @property
    def state(self) -> bytes: ...

    def encode(self, planes: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')]) -> None: ...

    def rollout(self, seed: int) -> float:
        """Return of player 0 after random moves to the end of the game."""

    def heuristic(self) -> float:
        """The caller has checked that the game has one."""

    def exact_score(self) -> int:
        """The caller has checked that the game has one."""

    def action_scores(self) -> list[int]:
        """
        Exact score of each legal action, in their order, from the view of the player to move.
        """

    def action_text(self, action: int, notation: int = 0) -> str:
        """`notation`: an index into `Game.notations`."""

    def parse_action(self, text: str) -> int:
        """
        The legal action, or -1. The caller has checked that the game parses actions.
        """

    def count_lines(self, num_plies: int, one_by_one: bool = False) -> int:
        """
        How many lines of so many plies lead on from here (`perft`); those that end the game before do not count. With `one_by_one` the moves of the last ply are made, not only counted.
        """

    def text(self) -> str: ...

def alpha_beta(game: Game, positions: Sequence[Position], *, depth: int, seed: int, actions: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu')], values: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu')]) -> None:
    """
    Search each of B positions to a depth; fills actions int64[B] and values float32[B], from the view of the player to move. See csrc/search/alpha_beta.hpp.
    """

class SearchParams:
    """How a tree is searched; see csrc/search/tree.hpp."""

    def __init__(self, *, num_simulations: int, c_base: float, c_init: float, fpu: str, fpu_value: float, dirichlet_alpha: float, noise_fraction: float, shaped_noise: bool, root_temperature: float, forced_playouts: float, prove: bool, selection: str, gumbel_actions: int, c_visit: float, c_scale: float, gumbel_scale: float, lcb_deviations: float) -> None: ...

class BatchSearch:
    """Many searches side by side; see csrc/search/batch_search.hpp."""

    def select(self, group: int, observations: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu')]) -> int:
        """
        Fill rows of `observations` float32[>=rows_per_group, C, H, W] with leaves that need the network; returns how many.
        """

    def backup(self, group: int, logits: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], values: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None:
        """
        Take the evaluations of the rows: logits float32[>=rows, A], values float32[>=rows] from the view of the player to move. DivergedError if one is not finite.
        """

    def clear_cache(self) -> None: ...

    def counters(self) -> dict[str, int]: ...

    @property
    def encode_s(self) -> float:
        """Seconds that `select` took to fill in observations, in all."""

    @property
    def rows_per_group(self) -> int: ...

    @property
    def num_groups(self) -> int: ...

class Records:
    """Game records on their way into arrays."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """(games, positions, policy entries)"""

    def write(self, arrays: dict[str, Any]) -> None:
        """Fill the caller's arrays."""

    @staticmethod
    def read(game: Game, arrays: dict[str, Any]) -> Records: ...

class SelfPlay(BatchSearch):
    """Self-play of many games; see csrc/search/self_play.hpp."""

    def __init__(self, game: Game, params: SearchParams, *, evaluator: str, num_searches: int, num_groups: int, num_threads: int, cache_bytes: int, kept_visits: int, seed: int, first_game: int, game_stride: int, opening_plies: int, temperature: float, temperature_plies: int, final_temperature: float, fast_share: float, fast_simulations: int, resign_value: float, played_on_share: float) -> None: ...

    def set_resign_value(self, value: float) -> None: ...

    @property
    def finished_positions(self) -> int: ...

    def take_finished(self, game: Game) -> Records:
        """Finished games since the last call, by number."""

    def take_noise(self) -> list[int]:
        """Words of the noise at the first roots; see csrc/search/self_play.hpp."""

    def suspend(self, game: Game) -> Records:
        """The games under way; drops trees and cached evaluations."""

    def resume(self, records: Records) -> None: ...

class Analysis(BatchSearch):
    """Searches of given positions; see csrc/search/analysis.hpp."""

    def __init__(self, game: Game, params: SearchParams, positions: Sequence[Position], *, evaluator: str, num_searches: int, num_threads: int, cache_bytes: int, leaves_per_search: int, seed: int) -> None: ...

    @property
    def done(self) -> bool: ...

    def stop(self) -> None:
        """
        End all searches with what they have, as soon as their roots are evaluated.
        """

    def note(self) -> None:
        """Fill in the results of searches under way, as they are now."""

    def write(self, *, visit_counts: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu')], q_values: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], priors: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], policies: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], best_actions: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu')], values: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu')], proven: Annotated[NDArray[numpy.bool_], dict(shape=(None,), order='C', device='cpu')]) -> None:
        """Fill the entries of legal actions; others stay as they are."""

    def principal_variation(self, position: int) -> list[int]: ...

def stack_frames(frames: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None, None), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)], out: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None, None), order='C', device='cpu')]) -> None:
    """Put frames [F, H, W, C] of `rows` [N, S] into out [N, H, W, S C]."""

def draw_batch(game: Game, states: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], plies: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], policy: Annotated[NDArray[numpy.uint16], dict(shape=(None,), order='C', device='cpu', writable=False)], policy_offsets: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], num_legal: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], symmetries: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], planes_out: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu')], policy_out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], legal_out: Annotated[NDArray[numpy.bool_], dict(shape=(None, None), order='C', device='cpu')]) -> None:
    """
    Make a training batch of B stored positions: planes float32[B, C, H, W], policy float32[B, A] and legal bool[B, A], all under the symmetry of each position.
    """

class ResidualNetwork:
    """
    The two-headed residual network on the CPU, batch normalisation folded in. All weights are zero at first.
    """

    def __init__(self, *, planes: int, height: int, width: int, blocks: int, channels: int, policy_channels: int, value_channels: int, value_hidden: int, num_actions: int, policy_planes: int, num_value_logits: int, num_threads: int = 1) -> None: ...

    def set_weights(self, parameters: Sequence[Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)]]) -> None:
        """
        Weight and bias, outputs first, of: stem, both convolutions of each block, policy features and output, value features, hidden and output. ValueError if they are of another network.
        """

    def evaluate(self, observations: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None, None), order='C', device='cpu', writable=False)], logits_out: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu')], values_out: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu')]) -> None:
        """
        Evaluate float32[B, C, H, W] into logits float32[B, A] and values float32[B] from the view of the player to move. A position's result does not depend on the rest of its batch, nor on the threads.
        """

class Caster:
    """
    Draws scenes of primitive shapes; one thread calls it at a time. rlplat/csrc/render/scene.hpp says what the arrays hold.
    """

    def __init__(self, *, shapes: Sequence[int], width: int, height: int, supersampling: bool = False, shadows: bool = False, num_threads: int = 1) -> None: ...

    def render(self, *, camera: int, geom_pos: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], geom_mat: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], geom_size: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], geom_rgba: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], geom_surface: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], geom_checker: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], camera_pos: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], camera_mat: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], camera_fovy: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_kind: Annotated[NDArray[numpy.int32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_pos: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_dir: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_colour: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_attenuation: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_beam: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], light_shadow: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], headlight: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], background: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], near: float, far: float, num_simulations: int, rgb_out: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None, None), order='C', device='cpu')] | None = None, depth_out: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')] | None = None, segmentation_out: Annotated[NDArray[numpy.int32], dict(shape=(None, None, None), order='C', device='cpu')] | None = None) -> None:
        """
        Fill those outputs that are given: uint8[N, H, W, 3], float32[N, H, W] in metres, int32[N, H, W] of geom ids. Every input is [N or 1, objects, numbers]; 1 is for all simulations.
        """
