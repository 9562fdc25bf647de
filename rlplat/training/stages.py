"""Where the time of a run goes, by stage: what its parts report of an interval, as shares of the time."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from rlplat.interfaces import Metrics, Summary
from rlplat.training.hosts import TIMING, Report

COLLECTOR_STAGES = ("search", "encoding", "simulation", "inference", "records", "transport", "wait")
LEARNER_STAGES = ("learn", "draw", "ingest", "publish", "transport", "save", "wait")
"""Stages that charts show, by the names that search in trees, steps of tasks and learning from a replay have."""
FEW_COLLECTORS = 4
"""Up to so many collectors each is written by its number; of more the lowest, the median and the highest."""


class Stages:
    """Seconds by stage of every collector, of the learner and of the driver, added up over an interval."""

    def __init__(self) -> None:
        self._collectors: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._lags: defaultdict[int, list[int]] = defaultdict(list)
        self._learner: Counter[str] = Counter()
        self._driver_s: float | None = None
        self._elapsed_s = 0.0

    @classmethod
    def total(cls, parts: Iterable[Stages]) -> Stages:
        """Add up intervals that follow each other."""
        whole = cls()
        for part in parts:
            for index, seconds in part._collectors.items():
                whole._collectors[index].update(seconds)
            for index, lags in part._lags.items():
                whole._lags[index] += lags
            whole._learner.update(part._learner)
            whole.add_elapsed(part._elapsed_s, part._driver_s)
        return whole

    def add_call(self, summary: Summary, newest_version: int) -> None:
        """Add a call of a collector, which the learner met when its newest weights were of `newest_version`."""
        self._collectors[summary.collector].update(summary.stages)
        self._lags[summary.collector].append(newest_version - summary.weights_version)

    def add_turn(self, report: Report, seconds: float) -> None:
        """Add a turn of the learner that the loop waited `seconds` for: what the learner did not work is transport."""
        self._learner.update(report.stages)
        self._learner.update({"transport": max(0.0, seconds - report.seconds)})

    def add_save(self, seconds: float) -> None:
        """Add a checkpoint, which stops the learner."""
        self._learner.update({"save": seconds})

    def add_elapsed(self, seconds: float, driver_s: float | None) -> None:
        """Add to the interval, and to the processor time of the driver; None where it is no process of its own."""
        self._elapsed_s += seconds
        if driver_s is not None:
            self._driver_s = (self._driver_s or 0.0) + driver_s

    def metrics(self) -> Metrics:
        """Shares of the time, and by how many versions the collectors' weights were old.

        A collector's shares are of the time that its calls and the waits between them took, as calls end when they end;
        those of the learner and the driver are of the interval.
        """
        elapsed_s = max(1e-9, self._elapsed_s)
        found = self._of_collectors()
        found |= {f"{TIMING}learner/{name}": min(1.0, spent / elapsed_s) for name, spent in self._learner.items()}
        found[f"{TIMING}learner/wait"] = max(0.0, 1.0 - self._learner.total() / elapsed_s)
        if self._driver_s is not None:
            found[f"{TIMING}driver"] = self._driver_s / elapsed_s
        return found

    def _of_collectors(self) -> Metrics:
        if not self._collectors:
            return {}
        together: Counter[str] = Counter()
        for seconds in self._collectors.values():
            together.update(seconds)
        each = {index: _shares(self._collectors[index]) for index in sorted(self._collectors)}
        found: Metrics = {}
        for name, share in _shares(together).items():
            found[f"{TIMING}collectors/{name}"] = share
            found |= _spread(f"{TIMING}collectors/{name}", {index: of.get(name, 0.0) for index, of in each.items()})
        lags = {index: statistics.fmean(self._lags[index]) for index in sorted(self._lags)}
        found["self_play/policy_lag"] = statistics.fmean(lag for of in self._lags.values() for lag in of)
        return found | _spread("self_play/policy_lag", lags)


def _shares(seconds: Counter[str]) -> Metrics:
    total = max(1e-9, seconds.total())
    return {name: spent / total for name, spent in seconds.items()}


def _spread(name: str, values: Mapping[int, float]) -> Metrics:
    """How a figure differs between collectors; nothing where there is only one."""
    if len(values) < 2:
        return {}
    if len(values) <= FEW_COLLECTORS:
        return {f"{name}/{index}": value for index, value in values.items()}
    ends = {"lowest": min(values.values()), "highest": max(values.values())}
    ends["median"] = statistics.median(values.values())
    return {f"{name}/{end}": value for end, value in ends.items()}
