"""A run that is interrupted and continued is the run that was never interrupted."""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import command, environment, rlplat

from rlplat.evaluation.results import Match, read_matches

CLOCK = ("time", "speed/", "timing/")
"""Names in metrics.jsonl that depend on the clock."""


def final_files(run: Path) -> dict[str, str]:
    newest = max((run / "checkpoints").glob("0*"))
    return {
        name: entry["sha256"] for name, entry in json.loads((newest / "manifest.json").read_text())["files"].items()
    }


def metrics(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if not name.startswith(CLOCK)} for line in lines]


def records(run: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (run / "games").glob("*.txt")}


def newest_step(run: Path) -> int:
    return max((int(path.name) for path in (run / "checkpoints").glob("0*")), default=-1)


def run_until_killed(arguments: list[object], run: Path, step: int, delay_s: float) -> None:
    """Start, wait for a checkpoint of `step` or later, wait `delay_s` more, kill without warning."""
    process = subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while newest_step(run) < step and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay_s)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_run_killed_at_five_random_moments_equals_the_unbroken_run_byte_for_byte(
    tiny_config: Path, tmp_path: Path
) -> None:
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    result = rlplat("train", tiny_config, "--run-dir", unbroken)
    assert result.returncode == 0, result.stderr
    moments = random.Random(time.time_ns())
    steps = sorted(moments.sample(range(10, 100), 5))
    print(f"kills after steps {steps}")
    for number, step in enumerate(steps):
        again = ["--resume"] if number else []
        run_until_killed(
            ["train", tiny_config, "--run-dir", killed, *again], killed, step, delay_s=moments.uniform(0.0, 0.15)
        )
    assert json.loads((killed / "run.json").read_text())["state"] == "running"
    result = rlplat("train", tiny_config, "--run-dir", killed, "--resume")
    assert result.returncode == 0, result.stderr
    assert final_files(killed) == final_files(unbroken)
    assert metrics(killed) == metrics(unbroken)
    assert records(killed) == records(unbroken)
    assert {tally(match) for match in read_matches({"": killed})} == {tally(m) for m in read_matches({"": unbroken})}
    assert any("rating/elo" in line for line in metrics(unbroken))


def tally(match: Match) -> tuple[object, ...]:
    return match.player, match.opponent, match.num_games, match.wins, match.draws, match.losses


def test_a_resumed_run_drops_evaluations_of_steps_that_it_makes_again(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = [
        "-o",
        "training.max_updates=80",
        "-o",
        "training.keep_checkpoints=9",
        "-o",
        "evaluation.final_num_games=0",
    ]
    assert rlplat("train", tiny_config, "--run-dir", run, *options).returncode == 0
    before = {tally(match) for match in read_matches({"": run})}
    assert {match[:2] for match in before} == {("@40:4", "random"), ("@80:4", "random"), ("@80:4", "@40:4")}
    for path in (run / "checkpoints").glob("0000008*"):
        (path / "manifest.json").write_text("broken")
    (run / "evaluations" / "20260101T000000000000Z-80.json").write_text("{}")  # of weights that are lost
    resumed = rlplat("train", tiny_config, "--run-dir", run, "--resume", *options)
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(
        r"^\S+ WARNING checkpoint 80 is broken and passed over: .*manifest.json cannot.*", resumed.stdout, re.M
    )
    assert len(list((run / "evaluations").glob("*-80.json"))) == 1
    assert {tally(match) for match in read_matches({"": run})} == before


def test_the_number_of_tree_threads_changes_nothing(tiny_config: Path, tmp_path: Path) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    short = ["-o", "training.max_updates=30", "-o", "evaluation.final_num_games=0"]
    assert rlplat("train", tiny_config, "--run-dir", one, *short).returncode == 0
    threads = ["-o", "placement.threads_per_actor=3"]
    assert rlplat("train", tiny_config, "--run-dir", three, *short, *threads).returncode == 0
    assert final_files(one) == final_files(three)
    assert metrics(one) == metrics(three)


def test_ctrl_c_stops_cleanly_with_a_checkpoint_and_code_130(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(
        command("train", tiny_config, "--run-dir", run, "-o", "training.max_updates=100000"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while newest_step(run) < 20 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "continue with --resume" in output
    record = json.loads((run / "run.json").read_text())
    assert record["state"] == "stopped"
    assert newest_step(run) == record["progress"]["updates"]
    more = record["progress"]["updates"] + 10
    resumed = rlplat("train", tiny_config, "--run-dir", run, "--resume", "-o", f"training.max_updates={more}")
    assert resumed.returncode == 0, resumed.stderr
    assert newest_step(run) == more


def test_a_run_begins_from_the_weights_of_another(tiny_config: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    short = ["-o", "training.max_updates=20", "-o", "evaluation.final_num_games=0"]
    assert rlplat("train", tiny_config, "--run-dir", first, *short).returncode == 0
    result = rlplat("train", tiny_config, "--run-dir", second, "--init-from", first, *short)
    assert result.returncode == 0, result.stderr
    assert json.loads((second / "run.json").read_text())["init_from"] == str(first)
    checkpoint = first / "checkpoints" / "00000010"
    third = rlplat("train", tiny_config, "--run-dir", tmp_path / "third", "--init-from", checkpoint, *short)
    assert third.returncode == 0, third.stderr
    nowhere = rlplat(
        "train", tiny_config, "--run-dir", tmp_path / "4", "--init-from", checkpoint.with_name("7"), *short
    )
    assert nowhere.returncode == 1 and "no checkpoint of step 7; there are: 10, 20" in nowhere.stderr
    losses = [line["loss/policy"] for line in metrics(first)], [line["loss/policy"] for line in metrics(second)]
    assert losses[1][0] < losses[0][0]


def test_what_cannot_be_continued_is_refused_in_one_sentence(tiny_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    short = ["-o", "training.max_updates=10", "-o", "evaluation.final_num_games=0"]
    assert rlplat("train", tiny_config, "--run-dir", run, *short).returncode == 0

    def refused(*arguments: object) -> str:
        result = rlplat("train", tiny_config, *short, *arguments)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stderr
        return " ".join(result.stderr.split())

    assert "already holds a run" in refused("--run-dir", run)
    assert "agent.search.num_simulations was 8, is now 9" in refused(
        "--run-dir", run, "--resume", "-o", "agent.search.num_simulations=9"
    )
    assert "env.id was 'tictactoe', is now 'connect_four'" in refused(
        "--run-dir", run, "--resume", "-o", "env.id=connect_four"
    )
    assert "does not exist" in refused("--run-dir", tmp_path / "other", "--resume")
    message = refused("--run-dir", tmp_path / "another", "--init-from", run, "-o", "env.id=connect_four")
    assert "--init-from" in message and "shape" in message
    assert "no baseline is named 'mtcs'; did you mean mcts?" in refused(
        "--run-dir", tmp_path / "another", "-o", "evaluation.against=[mtcs:10]"
    )
    assert not (tmp_path / "another").exists()  # the mended command may be given again


@pytest.mark.parametrize(
    ("kib", "told"),
    [
        (0.1, "cannot make a run folder: File too large"),  # the configuration itself
        (8, "the disk is full: "),  # weights and replay, while metrics and logs still fit
    ],
)
def test_files_that_find_no_room_end_a_run_in_one_message_and_it_goes_on_once_there_is_room(
    tiny_config: Path, tmp_path: Path, kib: float, told: str
) -> None:
    run = tmp_path / "run"
    arguments = ["train", tiny_config, "--run-dir", run, "-o", "training.max_updates=20", "-o", "evaluation.every=10"]
    limit = int(1024 * kib)
    result = subprocess.run(
        command(*arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert result.returncode == 1, result.stdout
    assert told in result.stderr and ("go on with --resume" in result.stderr or "another --run-dir" in result.stderr)
    assert "Traceback" not in result.stderr and "Logging error" not in result.stderr
    again = ["--resume"] if run.exists() else []
    assert rlplat(*arguments, *again).returncode == 0


@pytest.mark.parametrize("moment", ["during training", "at the end"])
def test_ctrl_c_ends_an_evaluation_at_once_and_resume_makes_it_again(
    tiny_config: Path, tmp_path: Path, moment: str
) -> None:
    run = tmp_path / "run"
    long = ["training.max_updates=20", "evaluation.num_games=100000", "evaluation.final_num_games=100000"]
    long += ["evaluation.every=20" if moment == "during training" else "evaluation.every=0"]
    process = subprocess.Popen(
        command("train", tiny_config, "--run-dir", run, *[part for each in long for part in ("-o", each)]),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while newest_step(run) < 20 and process.poll() is None:
        time.sleep(0.02)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "stopped at update 20; continue with --resume" in output
    assert json.loads((run / "run.json").read_text())["state"] == "stopped"
    assert not list((run / "evaluations").iterdir())
    short = ["-o", "training.max_updates=20", "-o", "evaluation.num_games=2", "-o", "evaluation.final_num_games=2"]
    resumed = rlplat("train", tiny_config, "--run-dir", run, "--resume", *short)
    assert resumed.returncode == 0, resumed.stderr
    assert len(list((run / "evaluations").iterdir())) == (2 if moment == "during training" else 1)
    assert json.loads((run / "run.json").read_text())["state"] == "finished"


def test_ctrl_c_at_the_very_start_ends_without_a_traceback(tiny_config: Path) -> None:
    for delay_s in (0.0, 0.1, 0.3, 0.6, 1.2):
        process = subprocess.Popen(
            command("check", tiny_config), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for pythons_own in (True, False):  # its handler comes first, and goes when `rlplat` takes over
            while catches_interrupts(process.pid) != pythons_own:
                time.sleep(0.002)
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode in (130, -signal.SIGINT), errors  # a shell calls both 130
        assert "Traceback" not in errors


def catches_interrupts(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGINT - 1))
