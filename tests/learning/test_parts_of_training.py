"""What parts and options of training bring: the quick run of Connect Four with one of them changed, in equal time."""

from __future__ import annotations

import itertools
import json
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from conftest import ROOT, command, environment, rlplat

from rlplat.hardware import num_cores

MINUTES = 3
"""Of processor time for each, evaluations not among them."""

CONFIG = ROOT / "configs" / "connect_four_quick.yaml"
POSITIONS = ROOT / "envs" / "games" / "positions" / "connect_four.txt"
COMMON = (
    "training.max_minutes=600",
    "training.max_updates=1000000",
    "agent.training.lr_schedule=constant",
    "evaluation.every=0",
    "placement.num_actors=1",
    "placement.threads_per_actor=1",
)
"""The rate is constant, so that those that make more updates in that time get all of them to count."""

WHOLE = "as configured"
PARTS = {
    WHOLE: (),
    "no evaluation cache": ("agent.self_play.cache_mib=0",),
    "no fast searches": ("agent.self_play.fast_share=0",),
    "8 samples per position": ("agent.training.samples_per_position=8",),
    "a window of 20,000 positions": ("agent.replay.max_positions=20000",),
    "all positions kept": ("agent.replay.window_start=300000",),
    "16 channels": ("agent.network.channels=16",),
    "48 channels": ("agent.network.channels=48",),
}
OPTIONS = {
    WHOLE: (),
    "no fast searches": ("agent.self_play.fast_share=0",),
    "forced playouts, targets without them": ("agent.search.forced_playouts=2",),
    "root temperature 1.25": ("agent.search.root_temperature=1.25",),
    "Gumbel": ("agent.search.selection=gumbel",),
    "surprise weight 0.5": ("agent.training.surprise_weight=0.5",),
    "global pooling": ("agent.network.pooling_channels=8",),
}
SEEDS = range(3)


@pytest.fixture(autouse=True)
def one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks with global pooling run in PyTorch, whose threads wait for each other at work where cores are shared."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@dataclass(frozen=True)
class Trained:
    score: float
    """Against mcts:1000, at 100 simulations."""
    low: float
    high: float
    wrong: float
    """Share of the positions that come with the game in which the move changes the result."""
    updates: int
    positions: int


def train(run: Path, changes: Sequence[str], seed: int = 0) -> Trained:
    """Train for so much processor time, whatever else the machine does, and judge what came of it."""
    overrides = [part for each in (*COMMON, *changes, f"seed={seed}") for part in ("-o", each)]
    with run.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            command("train", CONFIG, "--inline", "--run-dir", run, *overrides),
            env=environment(),
            stdout=log,
            stderr=log,
        )
        while process.poll() is None and sum(psutil.Process(process.pid).cpu_times()[:2]) < 60 * MINUTES:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    report = run.with_suffix(".json")
    options = ("--games", 400, "--simulations", 100, "--positions", POSITIONS, "--json", report)
    done = rlplat("evaluate", run, "--against", "mcts:1000", *options, timeout=1800)
    assert done.returncode == 0, run.with_suffix(".log").read_text()[-2000:] + done.stderr
    results = {result["name"]: result for result in json.loads(report.read_text())["results"]}
    match, progress = results["evaluation.mcts:1000.score"], json.loads((run / "run.json").read_text())["progress"]
    wrong = results["positions.all.result_changed"]["value"]
    return Trained(
        match["value"], match["score_low"], match["score_high"], wrong, progress["updates"], progress["amount"]
    )


def train_all(
    folder: Path, changed: Mapping[str, Sequence[str]], seeds: Sequence[int]
) -> dict[tuple[str, int], Trained]:
    """One run by name and seed, as many at once as there are cores; all with one seed before those with the next."""
    cases = [(name, seed) for seed, name in itertools.product(seeds, changed)]
    with ThreadPoolExecutor(num_cores()) as pool:
        runs = [pool.submit(train, folder / str(n), changed[name], seed) for n, (name, seed) in enumerate(cases)]
        found = {}
        for (name, seed), run in zip(cases, runs, strict=True):
            each = found[name, seed] = run.result()
            print(
                f"{name:40} seed {seed}: {each.score:.3f} [{each.low:.3f}, {each.high:.3f}] {each.wrong:.3f} wrong, "
                f"{each.updates:,} updates, {each.positions:,} positions",
                flush=True,
            )
    return found


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(7200)
def test_no_part_of_the_configuration_makes_the_quick_run_weaker(tmp_path: Path) -> None:
    found = train_all(tmp_path, PARTS, [0])
    assert [name for name in PARTS if found[name, 0].low > found[WHOLE, 0].high] == []


@pytest.mark.learning
@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_no_option_of_training_makes_the_quick_run_stronger_over_seeds(tmp_path: Path) -> None:
    found = train_all(tmp_path, OPTIONS, SEEDS)
    scores = {name: [found[name, seed].score for seed in SEEDS] for name in OPTIONS}
    for name, each in scores.items():
        wrong = statistics.fmean(found[name, seed].wrong for seed in SEEDS)
        print(
            f"| {name} | {' | '.join(f'{score:.1%}' for score in each)} | {statistics.fmean(each):.1%} | {wrong:.1%} |"
        )
    assert [name for name, each in scores.items() if min(each) > max(scores[WHOLE])] == []
