"""A run on Ray: real processes, on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from conftest import command, environment, rlplat

pytest.importorskip("ray", reason="Ray is not installed: runs can only be inline")

ON_RAY = ["-o", "placement.mode=ray", "-o", "placement.object_store_mib=100"]


@contextmanager
def training(config: Path, run: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run without end on Ray, once its learner has made updates."""
    arguments = ("--run-dir", str(run), *ON_RAY, "-o", "training.max_updates=1000000", *arguments)
    with (run.parent / "output").open("w") as output:
        process = subprocess.Popen(
            command("train", config, *arguments), env=environment(), stdout=output, stderr=output, text=True
        )
    try:
        wait_until(lambda: updates(run) > 0 or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=180)


def wait_until(condition: object, timeout_s: float = 180) -> None:
    end = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def updates(run: Path) -> int:
    try:
        return int(json.loads((run / "run.json").read_text())["progress"].get("updates", 0))
    except FileNotFoundError:
        return 0


def ray_processes(driver: subprocess.Popen[str], name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            if any(name in part for part in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_run_on_ray_trains_evaluates_and_leaves_no_process_behind(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = {process.pid for process in psutil.process_iter() if "ray" in process.name()}
    result = rlplat("train", tiny_config, "--run-dir", run, *ON_RAY)
    assert result.returncode == 0, result.stderr + result.stdout
    record = json.loads((run / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["progress"]["updates"] == 120
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    evaluated = [line["step"] for line in lines if "evaluation/random/score" in line]
    assert evaluated == [40, 80, 120, 120]  # during training, and once more at the end
    # Two samples per position: the governor held although learner and collectors ran side by side.
    positions = record["progress"]["amount"]
    assert 2 * positions >= 120 * 16
    after = {process.pid for process in psutil.process_iter() if "ray" in process.name()}
    assert after <= before


def test_ctrl_c_ends_a_run_on_ray_cleanly_and_it_can_be_resumed(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with training(tiny_config, run) as driver:
        workers = [process.pid for process in ray_processes(driver, "ray::")]
        driver.send_signal(signal.SIGINT)
        driver.wait(timeout=180)
    assert driver.returncode == 130, (tmp_path / "output").read_text()
    assert not any(psutil.pid_exists(pid) for pid in workers)
    stopped_at = updates(run)
    assert f"{stopped_at:08d}" in {path.name for path in (run / "checkpoints").iterdir()}
    more = ["-o", f"training.max_updates={stopped_at + 40}", "-o", "evaluation.final_num_games=0"]
    resumed = rlplat("train", tiny_config, "--run-dir", run, "--resume", *ON_RAY, *more)
    assert resumed.returncode == 0, resumed.stderr
    assert updates(run) == stopped_at + 40


def test_ctrl_c_while_ray_starts_ends_at_once_and_leaves_no_process_behind(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with (tmp_path / "output").open("w+") as output:
        driver = subprocess.Popen(
            command("train", tiny_config, "--run-dir", run, *ON_RAY), env=environment(), stdout=output, stderr=output
        )
        wait_until(lambda: driver.poll() is not None or ray_processes(driver, "gcs_server"))
        wait_until(lambda: driver.poll() is not None or ray_processes(driver, "raylet"))
        started = psutil.Process(driver.pid).children(recursive=True)
        driver.send_signal(signal.SIGINT)
        driver.wait(timeout=60)
        assert driver.returncode == 130, (tmp_path / "output").read_text()
    psutil.wait_procs(started, timeout=10)
    assert not [process for process in started if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert json.loads((run / "run.json").read_text())["state"] == "stopped"
    resumed = rlplat("train", tiny_config, "--run-dir", run, "--resume", *ON_RAY, "-o", "evaluation.final_num_games=0")
    assert resumed.returncode == 0, resumed.stderr


def test_a_killed_collector_is_replaced_and_the_run_goes_on(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with training(tiny_config, run) as driver:
        victim = ray_processes(driver, "ray::Collector")[0]
        victim.send_signal(signal.SIGKILL)
        log = run / "logs" / "train.log"
        wait_until(lambda: "died and is replaced" in log.read_text())
        wait_until(lambda: len(ray_processes(driver, "ray::Collector")) == 2)
        at = updates(run)
        wait_until(lambda: updates(run) > at + 50)
        assert victim.pid not in [process.pid for process in ray_processes(driver, "ray::Collector")]


def test_a_local_ray_listens_on_loopback_only_and_wants_a_token(tiny_config: Path, tmp_path: Path) -> None:
    with training(tiny_config, tmp_path / "run") as driver:
        addresses = set()
        for process in psutil.Process(driver.pid).children(recursive=True):
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    addresses.add((connection.laddr.ip, connection.laddr.port))
        assert addresses
        assert {address for address, _ in addresses} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        gcs = ray_processes(driver, "gcs_server")[0]
        port = next(each.laddr.port for each in gcs.net_connections(kind="inet") if each.status == psutil.CONN_LISTEN)
        stranger = subprocess.run(
            [command()[0], "-c", f"from ray._raylet import GcsClient; GcsClient(address='127.0.0.1:{port}')"],
            env={**environment(), "HOME": str(tmp_path), "RAY_AUTH_MODE": "disabled"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert stranger.returncode != 0
        assert "InvalidAuthToken" in stranger.stderr or "Authentication" in stranger.stderr


def test_driver_learner_and_one_collector_with_ray_take_less_than_1500_megabytes(
    tiny_config: Path, tmp_path: Path
) -> None:
    one = ("-o", "placement.num_actors=1", "-o", "evaluation.every=0")
    with training(tiny_config, tmp_path / "run", *one) as driver:
        processes = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]
        proportional = {f"{process.pid} {process.name()}": process.memory_full_info().pss for process in processes}
    total = sum(proportional.values())
    print(f"{total / 1e6:.0f} MB", {name: round(pss / 1e6) for name, pss in proportional.items()})
    assert total < 1.5e9
