"""What limits a run, and what to change: one sentence from the shares of the time that its stages take."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from rlplat.interfaces import Metrics
from rlplat.training.hosts import TIMING
from rlplat.training.stages import Stages

WAITING = 0.15
"""Share of its time from which on a part counts as waiting: less is the jitter of calls that end when they end."""
BUSY_DRIVER = 0.5
"""Share of a core from which on the driver is in the way of others."""
MUCH_EVALUATION = 0.5
"""Share of the time from which on evaluations beside the training take too much of the machine."""
RECENT_ROWS = 10
"""Rows of metrics that advice is made of: enough to even out calls of collectors that bring several rows' worth."""
WORK = {
    "search": "the tree search",
    "encoding": "writing positions down for the network",
    "inference": "the network",
    "simulation": "stepping the environments",
    "teacher": "the teacher",
    "records": "writing games down",
    "learn": "updating the network",
    "draw": "drawing of batches",
    "ingest": "taking in data",
    "publish": "publishing of weights",
    "save": "writing of checkpoints",
    "transport": "transport",
}
"""Stages in words; a stage that is not among them keeps its name."""


@dataclass(frozen=True)
class Advice:
    """What limits a run."""

    limit: str
    """`learner`, `collectors`, `transport`, `weights`, `driver`, `evaluation`, or `none`: all is balanced."""
    sentence: str
    """The limit with its figures, and what to change."""


def advise(timing: Metrics, remedies: Mapping[str, str], *, takes_turns: bool) -> Advice:
    """Say what limits a run.

    Args:
        timing: metrics `timing/...` as `rlplat.training.stages` makes them, with `timing/evaluation` (share of the time
            so far in which an evaluation was under way) and `timing/driver` (share of a core); what is missing is 0.
        remedies: the agent's, by stage; see `rlplat.interfaces.Agent.remedies`.
        takes_turns: whether collectors, learner and evaluations share one process, each waiting for the others.
    """
    times = _Times(timing)
    return _of_turns(times, remedies) if takes_turns else _of_processes(times, remedies)


class Advisor:
    """Makes advice of the newest rows of metrics, and keeps it as long as it says the same."""

    def __init__(self, remedies: Mapping[str, str], *, takes_turns: bool) -> None:
        self._remedies, self._takes_turns = remedies, takes_turns
        self._rows: deque[Stages] = deque(maxlen=RECENT_ROWS)
        self._advice: Advice | None = None

    @property
    def sentence(self) -> str:
        """The advice that holds; empty before the first interval."""
        return "" if self._advice is None else self._advice.sentence

    def add(self, stages: Stages, evaluation: float, *, renew: bool = False) -> bool:
        """Add an interval; returns whether the advice changed. With `renew` its figures are brought up to date, too.

        `evaluation` is the share of the time so far in which an evaluation was under way.
        """
        self._rows.append(stages)
        timing = Stages.total(self._rows).metrics() | {f"{TIMING}evaluation": evaluation}
        fresh = advise(timing, self._remedies, takes_turns=self._takes_turns)
        changed = renew or self._advice is None or fresh.limit != self._advice.limit
        if changed:
            self._advice = fresh
        return changed


class _Times:
    def __init__(self, timing: Metrics) -> None:
        self.collectors = _below(f"{TIMING}collectors/", timing)
        self.learner = _below(f"{TIMING}learner/", timing)
        self.evaluation = timing.get(f"{TIMING}evaluation", 0.0)
        self.driver = timing.get(f"{TIMING}driver", 0.0)
        self.collectors_wait = self.collectors.pop("wait", 0.0)
        self.fetching = self.collectors.pop("transport", 0.0)
        self.learner_waits = self.learner.pop("wait", 0.0)
        if not self.collectors and self.learner_waits < WAITING:
            self.collectors_wait = 1.0  # none of their calls ended while the learner worked: nothing is asked of them


def _of_processes(times: _Times, remedies: Mapping[str, str]) -> Advice:
    if times.evaluation >= MUCH_EVALUATION:
        return Advice(
            "evaluation",
            f"evaluations are under way {_percent(times.evaluation)} of the time, on cores that the collectors could "
            "use; raise evaluation.every, or lower evaluation.num_games",
        )
    if times.driver >= BUSY_DRIVER:
        return Advice("driver", f"the driver takes {_percent(times.driver)} of a core; {_larger_calls(remedies)}")
    if times.collectors_wait >= WAITING and times.learner_waits >= WAITING:
        return Advice(
            "transport",
            f"collectors wait {_percent(times.collectors_wait)} of the time and the learner waits "
            f"{_percent(times.learner_waits)}: what goes on between them is the limit; {_larger_calls(remedies)}",
        )
    if times.collectors_wait >= WAITING:
        stage, share = _largest(times.learner)
        return Advice(
            "learner",
            f"collectors wait for the learner {_percent(times.collectors_wait)} of the time: it is the limit "
            f"({_work(stage)} takes {_percent(share)} of its time); "
            f"{_either(remedies.get(stage), 'give it more threads (placement.learner_threads)')}",
        )
    if times.fetching >= WAITING:
        return Advice(
            "weights",
            f"collectors spend {_percent(times.fetching)} of the time on fetching weights; "
            f"{_either(remedies.get('transport'), 'publish less often')}",
        )
    if times.learner_waits >= WAITING:
        return Advice(
            "collectors",
            f"the learner waits for data {_percent(times.learner_waits)} of the time: the collectors are the limit, "
            f"where {_collecting(times)}; {_either(_remedy(times, remedies), 'add cores for more collectors')}",
        )
    return Advice(
        "none",
        f"nothing waits for long (collectors {_percent(times.collectors_wait)} of the time, the learner "
        f"{_percent(times.learner_waits)}): the run is balanced, and only more or faster cores make all of it faster",
    )


def _of_turns(times: _Times, remedies: Mapping[str, str]) -> Advice:
    """The parts take turns, so each waits for all others: the one that works longest is the limit."""
    turns = {
        "collectors": sum(times.collectors.values()) + times.fetching,
        "learner": sum(times.learner.values()),
        "evaluation": times.evaluation,
    }
    limit, _ = _largest(turns)
    spent = f"collecting takes {_percent(turns['collectors'])} of the time, learning {_percent(turns['learner'])}, "
    spent += f"evaluations {_percent(turns['evaluation'])}"
    if limit == "collectors":
        change = _remedy(times, remedies)
        spent += f"; in collecting {_collecting(times)}"
    elif limit == "learner":
        change = remedies.get(_largest(times.learner)[0])
    else:
        change = "raise evaluation.every, or lower evaluation.num_games"
    together = "let the parts work at the same time (placement.mode=ray)"
    return Advice(limit, f"one process takes turns: {spent}; {_either(change, together)}")


def _collecting(times: _Times) -> str:
    if not times.collectors:
        return "no call has ended for long"
    stage, share = _largest(times.collectors)
    return f"{_work(stage)} takes {_percent(share / max(1e-9, 1.0 - times.collectors_wait))}"


def _remedy(times: _Times, remedies: Mapping[str, str]) -> str | None:
    return remedies.get(_largest(times.collectors)[0])


def _larger_calls(remedies: Mapping[str, str]) -> str:
    return remedies.get("calls", "let each call of a collector bring more")


def _largest(shares: Mapping[str, float]) -> tuple[str, float]:
    return max(shares.items(), key=lambda item: item[1], default=("", 0.0))


def _below(prefix: str, timing: Metrics) -> Metrics:
    """The shares of a part as a whole, by stage: not those of single collectors."""
    found = {name.removeprefix(prefix): value for name, value in timing.items() if name.startswith(prefix)}
    return {name: value for name, value in found.items() if "/" not in name}


def _work(stage: str) -> str:
    return WORK.get(stage, stage or "work")


def _either(one: str | None, other: str) -> str:
    return f"{one}, or {other}" if one else other


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
