"""The driver of a job, without a cluster."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, environment


def start(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rlplat.jobs.driver"],
        cwd=folder,
        env=environment() | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_job_without_its_submission_ends_with_a_message(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    assert "cannot be read as a submission" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_does_not_run_another_rlplat_than_it_carries(tmp_path: Path) -> None:
    (tmp_path / "rlplat").mkdir()
    shutil.copy(ROOT / "rlplat" / "__init__.py", tmp_path / "rlplat")
    (tmp_path / ".rlplat").mkdir()
    (tmp_path / ".rlplat" / "submission.json").write_text(SUBMISSION)
    done = start(tmp_path, PYTHONSAFEPATH="1")  # the working directory is not on the path
    assert done.returncode == 1
    assert f"but {ROOT}/rlplat/__init__.py was imported" in done.stderr


SUBMISSION = """\
{"job": "a-1", "cluster": "http://127.0.0.1:8265", "run": "/nowhere/a", "resume": false, "named": [], "trust": [],
 "git": {}, "versions": {}, "wants": {}, "submitted": "2026-01-01T00:00:00+00:00", "host": "here"}
"""
