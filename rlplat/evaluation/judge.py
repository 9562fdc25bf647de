"""How often a policy's move is right, on positions whose exact scores are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlplat.errors import GameError
from rlplat.evaluation.evaluate import save_rows
from rlplat.evaluation.positions import STAGES, ScoredPosition, read_positions
from rlplat.evaluation.statistics import score_interval
from rlplat.evaluation.trained import load_trained
from rlplat.interfaces import Policy


@dataclass(frozen=True)
class Judgement:
    """What a policy does on one group of positions."""

    group: str
    """`all`, a stage (`early`, `middle`, `late`: thirds of the longest game) or `hard`."""
    num_positions: int
    result_changed: float
    """Share of positions in which its move changes the result of perfect play: gives away a win or a draw."""
    result_changed_low: float
    """Ends of the 95 % interval (Wilson's)."""
    result_changed_high: float
    not_best: float
    """Share of positions in which its move is not among those of the best score: also slow wins and quick losses."""
    not_best_low: float
    not_best_high: float
    simulations: int | None
    """Simulations a move of the policy; 0: its network alone; None: as the policy was made."""
    seconds: float
    """Wall-clock duration of choosing the moves of all positions."""
    step: int | None = None
    """Updates of the learner at the checkpoint; None for a policy that comes from none."""


def judge_policy(
    policy: Policy, positions: Sequence[ScoredPosition], *, simulations: int | None = None, step: int | None = None
) -> list[Judgement]:
    """Let the policy choose in every position: one judgement per group that has positions, `all` first.

    `simulations` and `step` are noted in the result. Raises GameError for an illegal action.
    """
    start = time.perf_counter()
    actions = policy.act([position.state.copy() for position in positions]).tolist()
    seconds = time.perf_counter() - start
    for position, action in zip(positions, actions, strict=True):
        if action not in position.state.legal_actions():
            raise GameError(
                f"{getattr(policy, 'name', type(policy).__name__)} chose action {action}, which is not legal\n"
                f"{position.state}"
            )
    scores = np.array([position.score for position in positions])
    chosen = np.array([position.score_of(action) for position, action in zip(positions, actions, strict=True)])
    stages = np.array([position.stage for position in positions])
    groups = {"all": np.ones(len(positions), np.bool_)}
    groups |= {stage: stages == stage for stage in STAGES}
    groups["hard"] = np.array([position.is_hard() for position in positions])
    judgements = []
    for name, mask in groups.items():
        if not mask.any():
            continue
        changed = _shares(np.sign(chosen[mask]) != np.sign(scores[mask]))
        not_best = _shares(chosen[mask] != scores[mask])
        judgements.append(Judgement(name, int(mask.sum()), *changed, *not_best, simulations, seconds, step))
    return judgements


def judge_weights(
    make_policy: Callable[[int | None], Policy],
    positions: Sequence[ScoredPosition],
    *,
    num_simulations: int | None,
    step: int,
) -> list[Judgement]:
    """Judge the network alone, and the policy with `num_simulations` a move (None: as in self-play) if they are not 0.

    `make_policy` takes the number of simulations.
    """
    judgements = []
    for simulations in dict.fromkeys((0, num_simulations)):
        judgements += judge_policy(make_policy(simulations), positions, simulations=simulations, step=step)
    return judgements


def judge_run(
    run_path: Path,
    positions_path: Path,
    *,
    checkpoint: str = "latest",
    num_simulations: int | None,
    seed: int,
    trust: Sequence[str] = (),
) -> list[Judgement]:
    """Judge a checkpoint of a run (latest, best or a step) and add the result to the run's `evaluations` folder.

    Twice: its network alone, and with `num_simulations` a move (None: as in self-play) if these are not 0.
    """
    trained = load_trained(run_path, checkpoint, trust=trust)
    positions = read_positions(positions_path, trained.game)

    def make_policy(simulations: int | None) -> Policy:
        return trained.make_policy(num_simulations=simulations, seed=seed)

    judgements = judge_weights(make_policy, positions, num_simulations=num_simulations, step=trained.step)
    save_rows(trained.run.evaluations_path, trained.step, {"positions": judgements})
    return judgements


def _shares(found: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, float, float]:
    """Share of true values, and the ends of its 95 % interval."""
    count = int(found.sum())
    return (count / found.size, *score_interval((0.0, 1.0), (found.size - count, count)))
