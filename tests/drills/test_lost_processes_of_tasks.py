"""Agents for tasks on Ray: processes are killed, and the run goes on and nothing is missing."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from long_run import CHECKPOINT_EVERY, CONFIG, EVALUATE_EVERY, LOG_EVERY, LongRun, long_run

pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

pytestmark = [pytest.mark.drills, pytest.mark.timeout(900)]

AGENTS = {
    "ppo": {
        "id": "ppo",
        "num_envs": 8,
        "num_steps": 16,
        "network": {"hidden": [16], "channels": [8]},
        "training": {"num_epochs": 1, "batch_size": 64},
    },
}
TASK = {"id": "envs.robots:rlplat/CartpoleBalance-v0", "parameters": {"pixels": 16, "action_repeat": 20}}


@pytest.fixture(scope="module", params=AGENTS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongRun]:
    """One run for all drills, which come in the order of this file."""
    evaluation = {"every": EVALUATE_EVERY, "against": ["random"], "num_episodes": 2, "final_num_episodes": 0}
    config = CONFIG | {"env": TASK, "agent": AGENTS[request.param], "evaluation": evaluation}
    with long_run(tmp_path_factory.mktemp(request.param), config=config) as run:
        run.train()
        run.wait(lambda: run.newest >= CHECKPOINT_EVERY, "there is a checkpoint")
        yield run


def test_a_killed_collector_is_replaced_and_the_run_goes_on(run: LongRun) -> None:
    said = len(run.log)
    run.process("Collector").send_signal(signal.SIGKILL)
    run.wait_for_log(r"collector \d died and is replaced", said)
    run.wait_for_log(r"collector \d is back after ([\d.]+) s", said)
    run.wait_for_checkpoint()
    run.check_steps(most=2 * LOG_EVERY)


def test_a_run_without_its_learner_goes_on_from_the_newest_checkpoint(run: LongRun) -> None:
    said, step = len(run.log), run.last_step
    run.process("Learner").send_signal(signal.SIGKILL)
    from_step = int(run.wait_for_log(r"goes on from the checkpoint of update (\d+)", said)[1])
    assert step - 2 * CHECKPOINT_EVERY <= from_step
    run.wait_for_checkpoint()
    run.check_steps(most=2 * LOG_EVERY)


def test_a_killed_driver_is_resumed_and_the_run_ends_in_order(run: LongRun) -> None:
    assert run.driver is not None
    run.driver.kill()
    run.driver.wait()
    run.driver = None
    run.train("--resume")
    run.wait_for_checkpoint()
    run.check_steps(most=2 * LOG_EVERY)
    run.stop()
    assert run.driver is not None and run.driver.returncode == 130, run.output
    evaluated = [row["step"] for row in run.rows if "evaluation/return" in row]
    assert evaluated and set(evaluated) <= set(range(EVALUATE_EVERY, run.newest + 1, EVALUATE_EVERY))
