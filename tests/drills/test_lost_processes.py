"""Processes of a run are killed and stopped, one after another; the run goes on and nothing counts twice."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest
from long_run import CHECKPOINT_EVERY, EVALUATE_EVERY, SILENCE_S, LongRun, long_run

from rlplat.hardware import num_cores

pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

pytestmark = [pytest.mark.drills, pytest.mark.timeout(900)]

MOST_COST_S = 10.0
"""What a killed collector may cost, from its loss to its successor's readiness, on cores that nobody else uses."""


@pytest.fixture(scope="module")
def slowness() -> float:
    """By how much all takes longer here and now: what others run on each core before the drills begin, at least 1."""
    return max(1.0, os.getloadavg()[0] / num_cores())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, slowness: float) -> Iterator[LongRun]:
    """One run for all drills, which come in the order of this file."""
    with long_run(tmp_path_factory.mktemp("drills")) as run:
        run.train()
        run.wait(lambda: run.newest >= CHECKPOINT_EVERY, "there is a checkpoint")
        yield run


def test_a_killed_collector_is_back_in_ten_seconds_and_no_other_waits(run: LongRun, slowness: float) -> None:
    said, begun = len(run.log), time.time()
    run.process("Collector").send_signal(signal.SIGKILL)
    run.wait_for_log(r"collector \d died and is replaced", said)
    back_s = float(run.wait_for_log(r"collector \d is back after ([\d.]+) s", said)[1])
    times = [begun, *(row["time"] for row in run.rows if begun < row["time"] < begun + back_s)]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    print(f"slowness {slowness:.1f}; back after {back_s} s")
    print(f"longest pause of the rest meanwhile {max(pauses):.2f} s, {len(pauses)} rows")
    assert back_s < MOST_COST_S * slowness
    assert max(pauses) < 0.5 * MOST_COST_S * slowness
    run.wait_for_checkpoint()
    run.check()


def test_a_stopped_collector_is_noticed_by_its_silence_and_replaced(run: LongRun) -> None:
    said, begun = len(run.log), time.monotonic()
    victim = run.process("Collector")
    victim.send_signal(signal.SIGSTOP)
    silent_s = float(run.wait_for_log(r"collector \d has said nothing for (\d+) s and is replaced", said)[1])
    print(f"noticed after {time.monotonic() - begun:.1f} s")
    assert silent_s >= SILENCE_S
    run.wait_for_log(r"collector \d is back", said)
    assert not victim.is_running()
    run.wait_for_checkpoint()
    run.check()


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_the_evaluation_of_a_lost_evaluator_is_made_up_for(run: LongRun, harm: signal.Signals) -> None:
    run.wait(lambda: len(run.evaluated()) > 0, "the evaluator is up")
    said, step = len(run.log), run.last_step
    run.process("Evaluator").send_signal(harm)
    found = run.wait_for_log(r"the evaluator .* and is replaced; update (\d+) is evaluated again", said)
    again = int(found[1])
    run.wait(lambda: max(run.evaluated()) > again, "later updates are evaluated")
    evaluated = run.evaluated()  # once, as the run goes on
    assert again in evaluated
    assert run.last_step > step
    assert len(set(evaluated)) == len(evaluated)
    run.check()


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_run_without_its_learner_goes_on_from_the_newest_checkpoint(run: LongRun, harm: signal.Signals) -> None:
    said, step, begun = len(run.log), run.last_step, time.monotonic()
    victim = run.process("Learner")
    collectors = {process.pid for process in run.processes("Collector")}
    victim.send_signal(harm)
    from_step = int(run.wait_for_log(r"goes on from the checkpoint of update (\d+)", said)[1])
    assert step - 2 * CHECKPOINT_EVERY <= from_step
    run.wait(lambda: run.newest > from_step, "it learns on")
    print(f"lost at {step}, from {from_step} on, next checkpoint after {time.monotonic() - begun:.1f} s")
    assert not victim.is_running()
    assert {process.pid for process in run.processes("Collector")} == collectors  # they only begin again
    run.wait_for_checkpoint()
    run.check()


def test_a_killed_driver_leaves_no_process_and_its_run_is_resumed(run: LongRun) -> None:
    assert run.driver is not None
    children = psutil.Process(run.driver.pid).children(recursive=True)
    agents = [process for process in children if "Agent" in process.name()]
    run.driver.kill()
    run.driver.wait()
    _, alive = psutil.wait_procs(set(children) - set(agents), timeout=60)
    assert alive == []
    run.driver = None
    run.train("--resume")
    run.wait_for_checkpoint()
    run.check()
    # Ray's agents look every few seconds for their node, and then report to a head that is no more.
    _, alive = psutil.wait_procs(agents, timeout=180)
    assert alive == []


def test_after_all_this_the_run_ends_in_order(run: LongRun) -> None:
    run.stop()
    assert run.driver is not None
    assert run.driver.returncode == 130, run.output
    assert json.loads((run.path / "run.json").read_text())["state"] == "stopped"
    run.check()
    evaluated = run.evaluated()
    print(f"{run.newest} updates, evaluations of {evaluated}")
    assert set(evaluated) <= set(range(EVALUATE_EVERY, run.newest + 1, EVALUATE_EVERY))
