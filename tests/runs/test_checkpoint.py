import json
import logging
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rlplat.errors import CheckpointError
from rlplat.runs import manifest
from rlplat.runs.arrays import load_arrays, save_arrays
from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore


def write(store: CheckpointStore, step: int, value: int | None = None, **info: object) -> None:
    with store.write(step, info) as folder:
        save_arrays(folder / WEIGHTS_FILE, {"w": np.full(100, step if value is None else value)})
        (folder / "replay").mkdir()
        save_arrays(folder / "replay" / "games.safetensors", {"states": np.zeros((7, 3), np.uint8)})


def steps(store: CheckpointStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def value_of(checkpoint_path: Path) -> int:
    return int(load_arrays(checkpoint_path / WEIGHTS_FILE)["w"][0])


def test_a_checkpoint_comes_back_with_its_files_and_info(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints", keep=3)
    assert store.latest() is None
    write(store, 42, amount=np.int64(9), loss=float("nan"), game={"name": "connect_four"})
    checkpoint = store.latest()
    assert checkpoint is not None and checkpoint.step == 42 and checkpoint.path.name == "00000042"
    assert checkpoint.info == {"amount": 9, "loss": None, "game": {"name": "connect_four"}}
    assert set(checkpoint.manifest["files"]) == {WEIGHTS_FILE, "replay/games.safetensors"}
    assert value_of(checkpoint.path) == 42


def test_a_checkpoint_that_is_spared_stays_until_it_is_not(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    write(store, 10)
    for step in (20, 30):
        with store.write(step, {}, spared=[10]) as folder:
            (folder / WEIGHTS_FILE).write_bytes(b"")
    assert steps(store) == ["00000010", "00000030"]
    write(store, 40)
    assert steps(store) == ["00000040"]


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    assert store.best() is None and store.best_score is None
    for step in (10, 20, 30):
        write(store, step)
        if step == 10:
            store.mark_best(10, 0.75)
    assert steps(store) == ["00000010", "00000020", "00000030", "best.json"]
    write(store, 40)
    assert steps(store) == ["00000010", "00000030", "00000040", "best.json"]
    best = store.best()
    assert best is not None and best.step == 10 and store.best_score == 0.75
    store.mark_best(40, 0.8)
    write(store, 50)
    assert steps(store) == ["00000040", "00000050", "best.json"]
    with pytest.raises(CheckpointError, match="no checkpoint of step 10"):
        store.mark_best(10, 1.0)


def test_names_resolve_to_checkpoints_and_wrong_ones_to_what_exists(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=3)
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        store.resolve("latest")
    write(store, 5)
    write(store, 12)
    assert store.resolve("latest").step == 12
    assert store.resolve("5").step == store.resolve("00000005").step == 5
    with pytest.raises(CheckpointError, match=r"no best checkpoint.*there are: 5, 12"):
        store.resolve("best")
    store.mark_best(5, 0.1)
    assert store.resolve("best").step == 5
    with pytest.raises(CheckpointError, match="no checkpoint of step 7; there are: 5, 12"):
        store.resolve("7")
    with pytest.raises(CheckpointError, match="did you mean 'latest'"):
        store.resolve("lastest")
    with pytest.raises(CheckpointError, match="latest, best, 5, 12"):
        store.resolve("../../etc")


def test_a_failed_write_leaves_no_trace(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    write(store, 1)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), store.write(2, {}) as folder:
            (folder / "half").touch()
            raise error
    assert steps(store) == ["00000001"]
    assert store.resolve("latest").step == 1


def tamper(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def replace_with_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"w": 1}))


@pytest.mark.parametrize("damage", [tamper, truncate, replace_with_pickle, Path.unlink])
@pytest.mark.parametrize("name", [WEIGHTS_FILE, "replay/games.safetensors"])
def test_a_damaged_checkpoint_is_passed_over_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object, name: str
) -> None:
    store = CheckpointStore(tmp_path, keep=3)
    write(store, 1)
    write(store, 2)
    expected = store.resolve("2").manifest["files"][name]["sha256"]
    damage(tmp_path / "00000002" / name)  # type: ignore[operator]
    with caplog.at_level(logging.WARNING):
        checkpoint = store.latest()
    assert checkpoint is not None and checkpoint.step == 1
    assert str(tmp_path / "00000002" / name) in caplog.text
    if damage is not Path.unlink:
        found = manifest._sha256(tmp_path / "00000002" / name)
        assert expected in caplog.text and found in caplog.text
    with pytest.raises(CheckpointError, match=r"choose another checkpoint; there are: 1$"):
        store.at(2)


def test_a_damaged_manifest_or_an_added_file_breaks_a_checkpoint(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=9)
    for step in range(1, 6):
        write(store, step)
    (tmp_path / "00000005" / "manifest.json").write_text("{")
    (tmp_path / "00000004" / "manifest.json").unlink()
    shutil.copy(tmp_path / "00000001" / "manifest.json", tmp_path / "00000003" / "manifest.json")
    (tmp_path / "00000002" / "optimizer.pkl").touch()
    assert store.resolve("latest").step == 1


def test_when_all_are_broken_nobody_starts_from_zero_unknowingly(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    write(store, 1)
    tamper(tmp_path / "00000001" / WEIGHTS_FILE)
    with pytest.raises(CheckpointError, match="all checkpoints are broken"):
        store.latest()


def test_broken_later_checkpoints_do_not_drive_out_sound_ones(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    for step in (20, 30):
        write(store, step)
        tamper(tmp_path / f"{step:08d}" / WEIGHTS_FILE)
    write(store, 15)
    assert store.resolve("latest").step == 15
    write(store, 20)
    assert store.resolve("latest").step == 20


def test_a_damaged_best_mark_does_not_stop_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    write(store, 1)
    (tmp_path / "best.json").write_text("{}")
    write(store, 2)
    assert "best.json is damaged" in caplog.text
    assert store.resolve("latest").step == 2
    with pytest.raises(CheckpointError, match=r"best\.json is damaged"):
        store.best()


def test_leftovers_of_dead_writers_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (process.pid, dead.pid):
        (tmp_path / f".tmp-7-{pid}").mkdir()
        (tmp_path / f".tmp-7-{pid}" / "file").touch()
    reused = tmp_path / f".tmp-8-{process.pid}"
    reused.mkdir()
    os.utime(reused, (1e9, 1e9))  # older than the process of that number
    write(store, 9)
    process.kill()
    process.wait()
    assert steps(store) == [f".tmp-7-{process.pid}", "00000009"]


def test_a_full_disk_says_what_is_needed_and_keeps_the_checkpoints_before(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
import numpy as np
from rlplat.errors import CheckpointError
from rlplat.runs.arrays import save_arrays
from rlplat.runs.checkpoint import CheckpointStore
store = CheckpointStore(Path(sys.argv[1]), keep=2)
with store.write(1, {}) as folder:
    save_arrays(folder / "a.safetensors", {"x": np.zeros(10)})
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    with store.write(2, {}) as folder:
        (folder / "first").write_bytes(bytes(3000))
        save_arrays(folder / "a.safetensors", {"x": np.zeros(10_000)})
except CheckpointError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True)
    assert "the disk is full: checkpoint 2 needs at least 3000 bytes" in done.stdout
    assert "bytes are free" in done.stdout and "--resume" in done.stdout
    store = CheckpointStore(tmp_path, keep=2)
    assert steps(store) == ["00000001"] and store.resolve("latest").step == 1


@pytest.mark.parametrize("step", [1, 2])
def test_no_space_while_the_manifest_is_synced_keeps_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    write(store, 1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="the disk is full"):
        write(store, step, value=99)
    monkeypatch.undo()
    assert steps(store) == ["00000001"] and value_of(store.resolve("latest").path) == 1


def die_at(event: int) -> None:
    """End this process (a forked child) without any clean-up at the given change of the file system from now on."""
    changes = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"}
    seen = 0

    def hook(name: str, _: object) -> None:
        nonlocal seen
        if name in changes:
            seen += 1
            if seen == event:
                os._exit(9)

    sys.addaudithook(hook)


@pytest.mark.parametrize("next_step", [2, 1], ids=["next step", "same step again"])
def test_death_at_every_single_change_of_the_file_system_leaves_a_sound_checkpoint(
    tmp_path: Path, next_step: int, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = set()
    for event in range(1, 200):
        store = CheckpointStore(tmp_path / str(event), keep=1)
        write(store, 1, value=100)
        child = os.fork()
        if child == 0:
            die_at(event)
            write(store, next_step, value=200)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        checkpoint = store.resolve("latest")
        outcomes.add(value_of(checkpoint.path))
        write(CheckpointStore(store.folder, keep=2), 3, value=300)
        assert steps(store) == [f"{checkpoint.step:08d}", "00000003"], f"killed at change {event}"
        if status == 0:
            break
    assert status == 0 and event > 10, "the write was watched from its first to its last change"
    assert outcomes == {100, 200}
    assert not caplog.records, "no checkpoint looked broken at any moment"


WRITER = """
import sys
from pathlib import Path
import numpy as np
from rlplat.runs.arrays import save_arrays
from rlplat.runs.checkpoint import CheckpointStore
store = CheckpointStore(Path(sys.argv[1]), keep=2)
for step in range(int(sys.argv[2]), 10**6):
    for _ in range(2):  # each step is written and then replaced
        with store.write(step, {"step": step}) as folder:
            for name in "abc":
                save_arrays(folder / f"{name}.safetensors", {"x": np.full(20_000, step)})
    print(step, flush=True)
"""


def test_sigkill_at_random_moments_never_costs_an_acknowledged_checkpoint(tmp_path: Path) -> None:
    generator = random.Random(1)
    start = 1
    for _ in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(start)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = int(process.stdout.readline())
        time.sleep(generator.uniform(0.0, 0.08))
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split("\n")[:-1]
        acknowledged = int(rest[-1]) if rest else acknowledged
        checkpoint = CheckpointStore(tmp_path, keep=2).latest()
        assert checkpoint is not None and checkpoint.step in (acknowledged, acknowledged + 1)
        for name in "abc":
            assert (load_arrays(checkpoint.path / f"{name}.safetensors")["x"] == checkpoint.step).all()
        start = checkpoint.step + 1


def test_best_json_is_plain_and_readable(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    write(store, 1)
    store.mark_best(1, np.float32(0.5))
    assert json.loads((tmp_path / "best.json").read_text()) == {"step": 1, "score": 0.5, "earlier": None}


def test_the_best_before_a_step_is_that_which_its_evaluation_met_also_when_it_is_made_again(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=3)
    for step in (10, 20, 30):
        write(store, step)
    assert store.best(before=10) is None
    store.mark_best(10, 0.5)
    assert store.best(before=10) is None
    assert [store.best(before=step).step for step in (20, 30)] == [10, 10]  # type: ignore[union-attr]
    store.mark_best(20, 0.6)
    store.mark_best(20, 0.6)
    assert [store.best(before=step).step for step in (20, 30)] == [10, 20]  # type: ignore[union-attr]
    (tmp_path / "best.json").write_text('{"step": 20, "score": 0.6}')  # as written before
    assert store.best(before=20) is None
