"""Measures how fast this machine is: `rlplat bench WORD`. Content registers further benchmarks with `register`.

The name of a game that is not a shipped one (`my_games:Nim`, `my_games/nim.hpp`) stands for its part of `search`.

Whatever is compared is measured in alternating rounds of one run, so that drift of the machine cancels; a result is the
median over the rounds, with the lowest and the highest beside it.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from rlplat import registry
from rlplat.errors import RlplatError
from rlplat.hardware import num_cores
from rlplat.problems import suggestion
from rlplat.reports import Result

if TYPE_CHECKING:
    from rlplat.open_spiel import Twin
    from rlplat.search.game import Game, State
    from rlplat.search.parameters import BuiltinEvaluator, SearchParams

Benchmark = Callable[[], list[Result]]
Measurement = Callable[[float], float]
"""Works for about so many seconds, and returns its rate per second."""
Key = TypeVar("Key", bound=Hashable)

NUM_SIMULATIONS, NUM_GAMES, OPENING_PLIES = 800, 64, 8
"""The search of the AlphaZero paper, from openings of 8 plies, or half the shortest game if that is less."""
GAMES_PER_CALL = 8
"""Searches between two looks at the clock: those of chess with rollouts take more than a second."""
UNITS = "simulations/s"

_benchmarks: dict[str, Benchmark] = {}


def register(name: str, benchmark: Benchmark) -> None:
    """Add what `rlplat bench NAME` measures. Whoever registers imports heavy modules inside `benchmark` only."""
    _benchmarks[name] = benchmark


def run(what: str) -> list[Result]:
    """Make the measurements of one word; RlplatError if there is none of that name."""
    if ":" in what or what.endswith(registry.HEADER):
        return own_game(what)
    registry.import_content()
    if what not in _benchmarks:
        raise RlplatError(f"no benchmark is named {what!r}{suggestion(what, _benchmarks)}")
    return _benchmarks[what]()


@dataclass(frozen=True)
class Measured:
    """What several rounds found."""

    values: tuple[float, ...]
    """One per round."""
    seconds: float
    """Time measured in all."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def over(self, other: Measured) -> Measured:
        """The ratio to another measurement, round by round."""
        ratios = tuple(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True))
        return Measured(ratios, self.seconds + other.seconds)

    def result(self, name: str, unit: str = "", **fields: Any) -> Result:
        """The median, with `min` and `max` over the rounds and the `seconds` measured."""
        lowest, highest = min(self.values), max(self.values)
        return Result(name, self.median, unit, min=lowest, max=highest, seconds=self.seconds, **fields)


def repeat(work: Callable[[], int]) -> Measurement:
    """Do `work` over and over; the rate is that of what its calls return, a count."""

    def measure(seconds: float) -> float:
        count, start = 0, time.perf_counter()
        while True:
            count += work()
            elapsed_s = time.perf_counter() - start
            if elapsed_s >= seconds:
                return count / elapsed_s

    return measure


def alternate(measurements: Mapping[Key, Measurement], *, seconds: float, rounds: int) -> dict[Key, Measured]:
    """Make all measurements in turn, `rounds` times, each time for `seconds` seconds; one short turn first warms up."""
    values: dict[Key, list[float]] = {key: [] for key in measurements}
    spent = dict.fromkeys(measurements, 0.0)
    for measure in measurements.values():
        measure(seconds / 10)
    for _, (key, measure) in itertools.product(range(rounds), measurements.items()):
        start = time.perf_counter()
        values[key].append(measure(seconds))
        spent[key] += time.perf_counter() - start
    return {key: Measured(tuple(values[key]), spent[key]) for key in measurements}


def search(*, seconds: float = 0.6, rounds: int = 7) -> list[Result]:
    """Simulations/s of the search of every shipped game, 800 from each of 64 openings, without a network.

    `tree.<game>.null` and `tree.<game>.rollout`, on one thread: without cache and subtree reuse, with the constants of
    the AlphaZero paper; unvisited actions count as draws. Beside them stands the C++ `MCTSBot` of open_spiel from the
    same openings, if that is installed; `rlplat.open_spiel` says what differs. `tree.<game>.thread_scaling`: how many
    times as many simulations two threads make in games of self-play.
    """
    from rlplat.open_spiel import TWINS

    results = []
    for name in registry.names("game"):
        game = registry.resolve(name, kind="game").load()
        results += [
            *_search(game, name, TWINS.get(name), seconds, rounds),
            _thread_scaling(game, name, seconds, rounds),
        ]
    return results


def own_game(name: str, *, seconds: float = 0.6, rounds: int = 7) -> list[Result]:
    """Measure as `search` does on one thread, for a game of the user's own."""
    game = registry.resolve(name, kind="game").load()
    return _search(game, game.name, None, seconds, rounds)


def _search(game: Game, name: str, twin: Twin | None, seconds: float, rounds: int) -> list[Result]:
    from rlplat.evaluation.arena import draw_openings
    from rlplat.search.parameters import ROLLOUT, UNIFORM

    opening_plies = _opening_plies(game)
    openings = draw_openings(game, NUM_GAMES, opening_plies, seed=0)
    measurements = {"null": _tree(game, openings, UNIFORM), "rollout": _tree(game, openings, ROLLOUT)}
    compared = twin is not None and importlib.util.find_spec("pyspiel") is not None
    if twin is not None and compared:
        measurements["open_spiel_rollout"] = _open_spiel(twin, openings)
    found = alternate(measurements, seconds=seconds, rounds=rounds)
    fields = {"threads": 1, "games": NUM_GAMES, "simulations": NUM_SIMULATIONS, "opening_plies": opening_plies}
    results = [measured.result(f"tree.{name}.{kind}", UNITS, **fields) for kind, measured in found.items()]
    if compared:
        results.append(found["rollout"].over(found["open_spiel_rollout"]).result(f"tree.{name}.rollout_ratio"))
    elif twin is not None:
        note = "left out: open_spiel is not installed (pip install open_spiel)"
        results.append(Result(f"tree.{name}.open_spiel_rollout", None, UNITS, note=note))
    return results


def _opening_plies(game: Game) -> int:
    return min(OPENING_PLIES, game.min_length // 2)


def _tree(game: Game, openings: Sequence[State], evaluator: BuiltinEvaluator) -> Measurement:
    from rlplat.search.analysis import analyse

    params = _params()
    seeds = itertools.count()
    parts = itertools.cycle([openings[i : i + GAMES_PER_CALL] for i in range(0, len(openings), GAMES_PER_CALL)])

    def work() -> int:
        return int(analyse(game, next(parts), evaluator, params, seed=next(seeds)).visit_counts.sum())

    return repeat(work)


def _params() -> SearchParams:
    from rlplat.search.parameters import SearchParams

    return SearchParams(num_simulations=NUM_SIMULATIONS, fpu="constant", fpu_value=0.0)


def _open_spiel(twin: Twin, openings: Sequence[State]) -> Measurement:
    """One search of open_spiel's C++ MCTSBot per call, from the same openings, with one random rollout per leaf."""
    pyspiel = importlib.import_module("pyspiel")
    # Exploration, simulations, memory in MB (plenty), no solver (it would end searches early), seed, silent.
    evaluator = pyspiel.RandomRolloutEvaluator(1, 0)
    bot = pyspiel.MCTSBot(twin.load(), evaluator, 2.0, NUM_SIMULATIONS, 1000, False, 0, False)
    following = itertools.cycle([twin.follow(opening) for opening in openings])
    return repeat(lambda: int(bot.mcts_search(next(following)).explore_count))


def _thread_scaling(game: Game, name: str, seconds: float, rounds: int) -> Result:
    if num_cores() < 2:
        return Result(f"tree.{name}.thread_scaling", None, note="left out: this machine gives us one core")
    found = alternate({count: _self_play(game, count) for count in (1, 2)}, seconds=seconds, rounds=rounds)
    fields: dict[str, Any] = {f"simulations_per_s_{count}": measured.median for count, measured in found.items()}
    return (
        found[2]
        .over(found[1])
        .result(f"tree.{name}.thread_scaling", threads=2, games=NUM_GAMES, simulations=NUM_SIMULATIONS, **fields)
    )


def _self_play(game: Game, num_threads: int) -> Measurement:
    """Games side by side that threads share out: a search of each in turn until all have made some thousand steps."""
    import numpy as np

    from rlplat.search.parameters import UNIFORM
    from rlplat.search.self_play import SelfPlay, SelfPlayParams

    params = SelfPlayParams(
        num_searches=NUM_GAMES,
        num_threads=num_threads,
        opening_plies=_opening_plies(game),
        temperature_plies=game.max_length,
    )
    play = SelfPlay(game, _params(), params, evaluator=UNIFORM)
    observations = np.empty((play.rows_per_group, *game.plane_shape), np.float32)

    def work() -> int:
        before = play.counters["simulations"]
        play.select(0, observations)
        play.take_finished()
        return play.counters["simulations"] - before

    return repeat(work)


def solver(*, num_positions: int = 1000, seed: int = 0) -> list[Result]:
    """`solver.<game>.mean_s` and `solver.<game>.worst_s` of every shipped game that has exact scores, on one core.

    Seconds of processor time of each of `num_positions` seeded random positions, one after the other with the table
    that they share. They have as many plies as `Game.exact_score_from` asks for, or those of `search` if that is more.
    """
    from rlplat.evaluation.arena import draw_openings

    results = []
    for name in registry.names("game"):
        game = registry.resolve(name, kind="game").load()
        if game.exact_score_from is None:
            continue
        plies = max(game.exact_score_from, _opening_plies(game))
        spent = []
        for state in draw_openings(game, num_positions, plies, seed):
            start = time.process_time()
            state.exact_score()
            spent.append(time.process_time() - start)
        fields = {"threads": 1, "positions": num_positions, "plies": plies, "seed": seed, "seconds": sum(spent)}
        results.append(Result(f"solver.{name}.mean_s", statistics.fmean(spent), "s", **fields))
        results.append(Result(f"solver.{name}.worst_s", max(spent), "s", **fields))
    return results


register("search", search)
register("solver", solver)
