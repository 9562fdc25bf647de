"""What is shown of a run, and how its numbers are written out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Budget:
    """One of the limits that end a run."""

    unit: str
    """What is counted: updates, positions, minutes."""
    done: float
    total: float

    @property
    def fraction(self) -> float:
        """How much of it is used, in [0, 1]."""
        return min(1.0, max(0.0, self.done / self.total)) if self.total > 0 else 1.0


class MatchRow(Protocol):
    """The result of a match as it is shown; `rlplat.evaluation` makes such objects.

    All is from the view of the agent. `score` is (wins + draws / 2) / num_games, `elo` the difference in Elo, infinite
    when every game was won or lost; low and high are the ends of their 95 % intervals.
    """

    @property
    def opponent(self) -> str: ...

    @property
    def num_games(self) -> int: ...

    @property
    def wins(self) -> int: ...

    @property
    def draws(self) -> int: ...

    @property
    def losses(self) -> int: ...

    @property
    def score(self) -> float: ...

    @property
    def score_low(self) -> float: ...

    @property
    def score_high(self) -> float: ...

    @property
    def elo(self) -> float: ...

    @property
    def elo_low(self) -> float: ...

    @property
    def elo_high(self) -> float: ...


@runtime_checkable
class EpisodesRow(Protocol):
    """The result of a task's episodes as it is shown: of the agent or of a baseline.

    Low and high are the ends of 95 % intervals; success is None where the environment does not speak of it.
    """

    @property
    def title(self) -> str:
        """Name of the player, and the conditions where they are others than those of training."""
        ...

    @property
    def num_episodes(self) -> int: ...

    @property
    def mean_return(self) -> float: ...

    @property
    def return_low(self) -> float: ...

    @property
    def return_high(self) -> float: ...

    @property
    def success(self) -> float | None: ...

    @property
    def success_low(self) -> float | None: ...

    @property
    def success_high(self) -> float | None: ...

    @property
    def mean_length(self) -> float: ...


ResultRow = MatchRow | EpisodesRow
"""One row of an evaluation."""


@dataclass(frozen=True)
class RatingView:
    """Strength of a checkpoint on the Elo scale, and the ends of its 95 % interval."""

    step: int
    elo: float
    low: float
    high: float
    anchor: str
    """The player that has 0."""

    def __str__(self) -> str:
        interval = f"[{_signed(self.low)}, {_signed(self.high)}]"
        return f"rating at step {number(self.step)}: Elo {_signed(self.elo)} {interval}, {self.anchor} = 0"


@dataclass(frozen=True)
class ProgressView:
    """A snapshot of a run in training."""

    budgets: tuple[Budget, ...]
    """The limits that the run has; the one that is furthest will end it. Empty: it runs until it is stopped."""
    elapsed_s: float
    """Time spent in training, over all resumptions."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Totals by unit, in the order shown: updates, games, positions."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Per second, by unit, in the order shown: positions, simulations."""
    losses: Mapping[str, float] = field(default_factory=dict)
    """By the short name of the loss: policy, value."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Other numbers worth a look: policy entropy, game length."""
    evaluations: tuple[ResultRow, ...] = ()
    """The rows of the last evaluation."""
    evaluated_at: int | None = None
    """The step of the last evaluation."""
    rating: RatingView | None = None
    """The rating that it led to."""
    advice: str = ""
    """What limits the run and what to change; empty while nothing can be said."""
    phase: str = "training"
    """What the run does at this moment."""

    @property
    def leading(self) -> Budget | None:
        """The budget that is furthest; None if the run has none."""
        return max(self.budgets, key=lambda budget: budget.fraction, default=None)

    @property
    def remaining_s(self) -> float | None:
        """Time left at the mean pace so far, in seconds; None while nothing can be said."""
        leading = self.leading
        if leading is None or leading.fraction <= 0.0 or self.elapsed_s <= 0.0:
            return None
        return self.elapsed_s * (1.0 - leading.fraction) / leading.fraction


def duration(seconds: float | None) -> str:
    """Write a duration as 4:05 or 1:04:05; a dash for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def number(value: float) -> str:
    """Write a number with thousands separated and about four figures: 12,345 or 1.234."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.{3 - int(math.log10(abs(value)))}f}"


def percent(share: float) -> str:
    """Write a share as 86.0 %."""
    return f"{100 * share:.1f} %"


def percents(low: float, high: float) -> str:
    """Write an interval of shares as [80.5, 90.1], in per cent."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def return_text(row: EpisodesRow) -> str:
    return f"{number(row.mean_return)} [{number(row.return_low)}, {number(row.return_high)}]"


def success_text(row: EpisodesRow) -> str:
    if row.success is None or row.success_low is None or row.success_high is None:
        return "-"
    return f"{percent(row.success)} {percents(row.success_low, row.success_high)}"


def score_text(row: MatchRow) -> str:
    return f"{percent(row.score)} {percents(row.score_low, row.score_high)}"


def elo_text(row: MatchRow) -> str:
    return f"{_signed(row.elo)} [{_signed(row.elo_low)}, {_signed(row.elo_high)}]"


def plain_line(view: ProgressView) -> str:
    """Write a snapshot as one line, for logs and pipes."""
    parts = []
    if view.leading is not None:
        leading = view.leading
        parts.append(f"{percent(leading.fraction)} of {number(leading.total)} {leading.unit}")
    parts += [f"{unit} {number(value)}" for unit, value in view.counts.items()]
    parts += [f"{number(value)} {unit}/s" for unit, value in view.rates.items()]
    parts += [f"{name} loss {number(value)}" for name, value in view.losses.items()]
    parts += [f"{name} {number(value)}" for name, value in view.measures.items()]
    parts.append(f"elapsed {duration(view.elapsed_s)}")
    if view.leading is not None:
        parts.append(f"left {duration(view.remaining_s)}")
    if view.phase != "training":
        parts.append(view.phase)
    return " | ".join(parts)


def _signed(value: float) -> str:
    return f"{value:+.0f}".replace("inf", "∞")
