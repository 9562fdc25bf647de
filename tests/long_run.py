"""A run without end on Ray whose processes are harmed, and what must be true of it afterwards."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml
from conftest import ROOT, TINY
from ledger import LEDGER_FILE
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from rlplat.runs.checkpoint import CheckpointStore
from rlplat.training.loop import UPDATES_PER_TURN

LOG_EVERY, CHECKPOINT_EVERY, EVALUATE_EVERY = 20, 100, 200
BATCH, RATIO, MIN_POSITIONS = 16, 2, 100
SILENCE_S = 15

CONFIG = yaml.safe_load(TINY)
CONFIG["agent"]["id"] = "ledger:Ledger"
CONFIG["training"] = {
    "max_updates": 1_000_000,
    "checkpoint_every": CHECKPOINT_EVERY,
    "log_every": LOG_EVERY,
    "records_every": CHECKPOINT_EVERY,
}
CONFIG["evaluation"] |= {"every": EVALUATE_EVERY}
CONFIG["placement"] = {
    "num_actors": 2,
    "learner_threads": 1,
    "object_store_mib": 100,
    "most_silence_s": SILENCE_S,
}


@dataclass
class LongRun:
    """One run, over all processes that ever trained it."""

    folder: Path
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=lambda: CONFIG)
    driver: subprocess.Popen[bytes] | None = None

    @property
    def path(self) -> Path:
        return self.folder / "run"

    @property
    def store(self) -> CheckpointStore:
        return CheckpointStore(self.path / "checkpoints", keep=3)

    def train(self, *arguments: str) -> None:
        """Start, and wait until it learns."""
        config = self.folder / "drill.yaml"
        config.write_text(yaml.safe_dump(dict(self.config)))
        command = [sys.executable, "-m", "rlplat", "train", str(config), "--run-dir", str(self.path)]
        command += ["--trust", "ledger", *self.options, *arguments]
        with (self.folder / "output").open("ab") as output:
            self.driver = subprocess.Popen(command, env=dict(self.environment), stdout=output, stderr=output)
        begun = self.last_step
        self.wait(lambda: self.last_step > begun, "it learns")

    def stop(self) -> None:
        """End it with a checkpoint, as Ctrl-C does."""
        if self.driver is not None and self.driver.poll() is None:
            self.driver.send_signal(signal.SIGINT)
            self.driver.wait(timeout=300)

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 300) -> None:
        end = time.monotonic() + timeout_s
        while not condition():
            assert self.driver is None or self.driver.poll() is None, f"it ended: {self.output}"
            assert time.monotonic() < end, f"waited too long until {what}; {self.log[-3000:]}"
            time.sleep(0.05)

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    @property
    def log(self) -> str:
        path = self.path / "logs" / "train.log"
        return path.read_text() if path.exists() else ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The whole lines of metrics.jsonl."""
        path = self.path / "metrics.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def last_step(self) -> int:
        return max((int(row["step"]) for row in self.rows), default=0)

    @property
    def newest(self) -> int:
        found = self.store.latest()
        return 0 if found is None else found.step

    def process(self, name: str) -> psutil.Process:
        """One process of the run, by the name of its class."""
        return self.processes(name)[0]

    def processes(self, name: str) -> list[psutil.Process]:
        assert self.driver is not None
        found = []
        for process in psutil.Process(self.driver.pid).children(recursive=True):
            try:
                if any(f"ray::{name}" in part for part in process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def wait_for_log(self, pattern: str, since: int) -> re.Match[str]:
        """Wait until the log says something that it had not said at length `since`."""
        self.wait(lambda: re.search(pattern, self.log[since:]), f"the log says {pattern!r}")
        found = re.search(pattern, self.log[since:])
        assert found is not None
        return found

    def wait_for_checkpoint(self) -> None:
        """Wait for the second checkpoint from now, of which all that came before the present moment is part."""
        begun = self.newest
        self.wait(lambda: self.newest > begun + CHECKPOINT_EVERY, "there is a new checkpoint")

    def check(self) -> None:
        """No game counted twice, no step missing or double, the ratio of updates to positions kept."""
        self._check_games()
        self.check_steps(most=LOG_EVERY + UPDATES_PER_TURN)
        self._check_tensorboard()

    def _check_games(self) -> None:
        checkpoint = self.store.latest()
        assert checkpoint is not None
        learner = json.loads((checkpoint.path / "learner" / "learner.json").read_text())
        games = np.load(checkpoint.path / "learner" / LEDGER_FILE)
        assert len(games) > 0
        assert len(np.unique(games)) == len(games), "a game was counted twice"
        assert len(games) == learner["num_games"] == checkpoint.info["episodes"]
        governor = learner["governor"]
        assert governor["num_updates"] == learner["num_updates"] == checkpoint.step
        samples, paid = governor["num_updates"] * BATCH, (governor["num_positions"] - MIN_POSITIONS) * RATIO
        assert samples <= paid
        assert samples >= 0.8 * paid - 100 * BATCH, "updates that were paid for were not made"

    def check_steps(self, *, most: int) -> None:
        """No step missing or double; rows are at `most` so many updates apart, and what is counted only grows."""
        trained = [row for row in self.rows if "progress/episodes" in row]
        steps = [row["step"] for row in trained]
        assert all(before < after for before, after in itertools.pairwise(steps)), "a step came twice"
        gaps = [after - before for before, after in zip([0, *steps], steps, strict=False)]
        assert max(gaps) <= most, "steps are missing"
        assert set(range(CHECKPOINT_EVERY, steps[-1], CHECKPOINT_EVERY)) <= set(steps)
        for name in ("progress/episodes", "progress/amount"):
            values = [row[name] for row in trained]
            assert values == sorted(values), f"{name} went back"

    def _check_tensorboard(self) -> None:
        """TensorBoard's files hold each point of metrics.jsonl once, in order."""
        steps: dict[str, list[int]] = {}
        for path in sorted(self.path.glob("events.out.tfevents.*")):
            for record in RawEventFileLoader(str(path)).Load():
                event = Event.FromString(record)
                for value in event.summary.value:
                    if value.WhichOneof("value") == "simple_value":
                        steps.setdefault(value.tag, []).append(event.step)
        rows = self.rows
        newest = max(row["step"] for row in rows)
        for name in ("loss/policy", "progress/episodes", "evaluation/random/score"):
            expected = [row["step"] for row in rows if name in row]
            # A row is in one of the two files a moment before it is in the other.
            found = [step for step in steps.get(name, []) if step < newest]
            assert found == [step for step in expected if step < newest], name

    def evaluated(self) -> list[int]:
        return [row["step"] for row in self.rows if "evaluation/random/score" in row]


@contextmanager
def long_run(folder: Path, *options: str, config: Mapping[str, Any] = CONFIG, **environment: str) -> Iterator[LongRun]:
    """A run below `folder`; its processes are ended whatever happened to them."""
    tests = str(ROOT / "tests")
    python_path = os.pathsep.join((str(ROOT), tests))
    known = {**os.environ, "PYTHONPATH": python_path, "PYTHONUNBUFFERED": "1", **environment}
    run = LongRun(folder, known, options, config)
    try:
        yield run
    finally:
        if run.driver is not None and run.driver.poll() is None:
            children = psutil.Process(run.driver.pid).children(recursive=True)
            for process in (*children, run.driver):
                process.kill()
            psutil.wait_procs(children, timeout=30)
            run.driver.wait(timeout=30)
