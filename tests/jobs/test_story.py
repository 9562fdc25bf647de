"""The story that the README tells, run as it stands there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from local_cluster import cluster_in

from rlplat import _core
from rlplat.jobs import package

pytest.importorskip("ray", reason="Ray is not installed: there are no jobs")


@pytest.mark.drills
@pytest.mark.timeout(900)
def test_two_jobs_are_submitted_watched_stopped_resumed_and_evaluated(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", "--shared", ROOT, checkout], check=True)
    shutil.copy(_core.__file__, checkout / "rlplat")
    # As in a job: the checkout's own rlplat, though an editable installation may be there that finds another.
    (checkout / package.START_FILE).write_bytes(package.START)
    program = tmp_path / "bin" / "rlplat"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rlplat "$@"\n')
    program.chmod(0o755)
    with cluster_in(tmp_path) as cluster:
        path = f"{program.parent}:{cluster.environment['PATH']}"
        environment = cluster.environment | {"PATH": path, "PYTHONPATH": str(checkout)}
        story = subprocess.run(
            ["bash", ROOT / "tests" / "jobs" / "story.sh"],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        print(story.stdout)
        assert story.returncode == 0, story.stderr
        assert not (tmp_path / "state" / "rlplat" / "cluster.json").exists()
    for name, updates, jobs in (("first", 1200, ["first-1"]), ("second", 800, ["second-1", "second-2"])):
        run = checkout / "runs" / name
        record = json.loads((run / "run.json").read_text())
        assert (record["state"], record["progress"]["updates"]) == ("finished", updates)
        assert sorted(path.name for path in (run / "submissions").iterdir()) == jobs
        steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        trained = steps[: steps.index(updates) + 1]
        assert trained == sorted(set(trained))  # no gap filled twice by the resumed job
        evaluations = [json.loads(path.read_text())["evaluations"] for path in (run / "evaluations").iterdir()]
        assert any(each["num_games"] == 100 for found in evaluations for each in found)
