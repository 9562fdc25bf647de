"""Processes are ended by number and time of birth."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from rlplat.jobs.processes import ProcessName, end, with_descendants

CHILD = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def start() -> Iterator[object]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout and process.stdout.readline() == "up\n"
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_process_ends_with_its_children_even_those_that_outlive_it(start) -> None:
    parent, bystander = start(CHILD), start(CHILD)
    others = [psutil.Process(bystander.pid), *psutil.Process(bystander.pid).children()]
    names = with_descendants([parent.pid])
    assert len(names) == 2
    end([name for name in names if name.pid == parent.pid], names, grace_s=0.5)
    assert all(name.process() is None for name in names)
    assert all(process.is_running() for process in others)
    others[1].kill()


def test_a_process_that_ignores_the_request_is_killed_after_the_grace_time(start) -> None:
    names = with_descendants([start(STUBBORN).pid])
    begin = time.monotonic()
    assert end(names, [], grace_s=1) == 1
    assert 1 <= time.monotonic() - begin < 10
    assert names[0].process() is None


def test_a_later_process_of_the_same_number_is_left_alone(start) -> None:
    process = start(CHILD)
    earlier = replace(with_descendants([process.pid])[0], created_s=1.0)
    assert earlier == ProcessName(process.pid, 1.0)
    assert earlier.process() is None
    assert end([earlier], [earlier], grace_s=0.2) == 0
    assert process.poll() is None
    psutil.Process(process.pid).children()[0].kill()
