"""A cluster of this machine for tests: everything below a folder of its own, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from conftest import ROOT, TINY, command

from rlplat.search.library import cache_folder

TINY_JOB = yaml.safe_load(TINY) | {"placement": {"num_actors": 1, "learner_threads": 1}}
"""Two processes, so two CPUs: no evaluation during training."""
TINY_JOB["evaluation"] = {"against": ["random"], "num_simulations": 4, "final_num_games": 4}


@dataclass(frozen=True)
class TestCluster:
    """Runs rlplat with a home folder of its own."""

    __test__ = False

    folder: Path
    environment: dict[str, str]

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.folder / "state" / "rlplat" / "cluster.json").read_text())

    def __call__(self, *arguments: object, code: int = 0, **environment: str) -> str:
        """Run a command to its end; returns what it printed, in order standard output and error."""
        done = subprocess.run(
            command(*arguments),
            env=self.environment | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def state(self, run: str) -> dict[str, Any]:
        """All that `status` knows of a run."""
        done = subprocess.run(
            command("status", run, "--runs", self.runs, "--json", "-"),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout)["results"][0] if done.returncode == 0 else {"value": "unknown", "progress": {}}

    def wait(self, run: str, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 240) -> dict[str, Any]:
        """Wait until what is known of a run fulfils a condition."""
        end = time.monotonic() + timeout_s
        while not condition(state := self.state(run)):
            assert state["value"] not in ("failed", "interrupted"), self("logs", run, "--runs", self.runs)
            assert time.monotonic() < end, f"waited too long; at the end {state}"
            time.sleep(0.5)
        return state

    def is_training(self, run: str) -> dict[str, Any]:
        return self.wait(run, lambda state: state["value"] == "running" and state["progress"].get("updates", 0) > 0)


@contextmanager
def cluster_in(folder: Path) -> Iterator[TestCluster]:
    """Commands whose home is `folder`; a cluster that they leave is taken down, and its processes are gone."""
    # Ray's sockets need a short path.
    temporary = Path(tempfile.mkdtemp(prefix="rlp", dir="/tmp"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(cache_folder().parents[1]),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "no-token"),
    }
    cluster = TestCluster(folder, environment)
    try:
        yield cluster
    finally:
        record = folder / "state" / "rlplat" / "cluster.json"
        started = json.loads(record.read_text()) if record.exists() else {"roots": [], "others": []}
        if record.exists():
            cluster("down", "--now")
        shutil.rmtree(temporary, ignore_errors=True)
        assert alive([*started["roots"], *started["others"]]) == []


def alive(processes: list[dict[str, float]]) -> list[str]:
    """The command lines of the processes that still run."""
    found = []
    for each in processes:
        try:
            process = psutil.Process(int(each["pid"]))
            if process.create_time() == each["created_s"] and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return found


def write_config(path: Path, **training: object) -> Path:
    """A configuration that trains in a few seconds, as a job of two processes."""
    values = TINY_JOB | {"training": TINY_JOB["training"] | training}
    path.write_text(yaml.safe_dump(values))
    return path


def python(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
