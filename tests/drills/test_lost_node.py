"""The node that carries a run is gone from one moment to the next."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from long_run import CHECKPOINT_EVERY, long_run
from nodes import cluster_of_nodes

pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

pytestmark = [pytest.mark.drills, pytest.mark.timeout(900)]


def test_a_run_moves_from_a_node_that_is_lost_to_one_that_is_there(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    with long_run(tmp_path, **environment) as run, cluster_of_nodes(run.environment) as nodes:
        nodes.add("first", 4)  # learner, two collectors, evaluator
        run.options = ("-o", f"placement.address={nodes.address}")
        run.train()
        run.wait(lambda: run.newest >= CHECKPOINT_EVERY, "there is a checkpoint")
        said = len(run.log)
        nodes.remove("first")
        from_step = int(run.wait_for_log(r"the learner was lost .* the checkpoint of update (\d+)", said)[1])
        nodes.add("second", 4)
        run.wait(lambda: run.newest > from_step, "it learns on")
        run.wait_for_checkpoint()
        run.check()
        run.stop()
        run.check()
