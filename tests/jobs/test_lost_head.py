"""The head of a cluster is gone with everything on it; a job is resumed from its run's folder on another one."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import ROOT
from local_cluster import cluster_in
from long_run import CHECKPOINT_EVERY, CONFIG, LongRun

pytest.importorskip("ray", reason="Ray is not installed: there are no jobs")

pytestmark = [pytest.mark.drills, pytest.mark.timeout(900)]


def test_a_job_is_resumed_on_a_new_cluster_when_its_head_was_killed(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    with cluster_in(tmp_path) as cluster:
        cluster.environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
        run = LongRun(cluster.runs, cluster.environment)
        up = ("up", "--runs", cluster.runs, "--cpus", "4", "--object-store-mib", "100")
        cluster(*up)
        cluster("submit", config, "--trust", "ledger")
        run.wait(lambda: run.newest >= CHECKPOINT_EVERY, "there is a checkpoint")
        kill_with_descendants([int(each["pid"]) for each in cluster.record["roots"]])
        assert cluster.state("run")["value"] == "interrupted"
        cluster("down", "--now")
        cluster(*up)
        newest = run.newest
        cluster("resume", "run", "--trust", "ledger")
        run.wait(lambda: run.newest > newest, "it learns on")
        run.wait_for_checkpoint()
        run.check()
        cluster("stop", "run")
        cluster.wait("run", lambda state: state["value"] == "stopped")
        run.check()


def kill_with_descendants(pids: list[int]) -> None:
    roots = [psutil.Process(pid) for pid in pids]
    found = [process for root in roots for process in (root, *root.children(recursive=True))]
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=30)
