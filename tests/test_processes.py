"""Processes are ended by number and time of birth."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from rlplat.processes import ProcessName, end, no_orphans, with_descendants

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


def test_what_was_started_in_a_block_that_is_broken_off_ends_with_its_children_and_nothing_else_does(start) -> None:
    bystander = start(CHILD)
    with pytest.raises(KeyboardInterrupt), no_orphans():
        names = with_descendants([start(CHILD).pid])
        raise KeyboardInterrupt
    assert len(names) == 2
    assert all(name.process() is None for name in names)
    assert all(name.process() for name in with_descendants([bystander.pid]))
    psutil.Process(bystander.pid).children()[0].kill()


def test_what_was_started_in_a_block_that_ends_well_goes_on(start) -> None:
    with no_orphans():
        process = start("print('up', flush=True); import time; time.sleep(60)")
    assert process.poll() is None
