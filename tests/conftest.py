"""What many tests need: a tiny training configuration, and runs of it in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A shell starts background jobs with Ctrl-C ignored, and so would the processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

TINY = """\
env: {id: tictactoe}
agent:
  id: alphazero
  network: {blocks: 1, channels: 8, value_hidden: 16}
  search: {num_simulations: 8, temperature_plies: 4}
  self_play: {num_games: 8, num_groups: 2, opening_plies: 2, collect_positions: 60, cache_mib: 1}
  replay: {min_positions: 100, window_start: 500, max_positions: 2000}
  training: {batch_size: 16, samples_per_position: 2, publish_every: 5, warmup_updates: 5}
training: {max_updates: 120, checkpoint_every: 10, log_every: 5, records_every: 10, keep_checkpoints: 2}
evaluation: {every: 40, against: [random], num_games: 4, num_simulations: 4, final_num_games: 4}
placement: {mode: inline, num_actors: 2, learner_threads: 1}
"""


@pytest.fixture
def tiny_config(tmp_path: Path) -> Path:
    """A configuration that trains in a few seconds."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the tiny configuration with one checkpoint, of untrained weights at step 5. Read only."""
    return untrained_run(tmp_path_factory.mktemp("tiny_run"))


def untrained_run(folder: Path, env: str = "{id: tictactoe}") -> Path:
    """A run in a folder, of the tiny configuration but for its game, with untrained weights at step 5."""
    from agents.alphazero.bench import new_weights
    from rlplat.config import config_text, load_config
    from rlplat.registry import resolve
    from rlplat.runs.arrays import save_arrays
    from rlplat.runs.checkpoint import WEIGHTS_FILE, CheckpointStore
    from rlplat.runs.folder import RunFolder

    path = folder / "tiny.yaml"
    path.write_text(TINY.replace("{id: tictactoe}", env))
    config = load_config(path)
    run = RunFolder.create(folder / "run", config_text=config_text(config), info={})
    game = resolve(config.env.id, kind="game").load(**config.env.parameters)
    weights = new_weights(game.spec, config.agent.network)  # type: ignore[attr-defined]
    with CheckpointStore(run.checkpoints_path, keep=1).write(5, {}) as folder:
        save_arrays(folder / WEIGHTS_FILE, weights)
    return run.path


def command(*arguments: object) -> list[str]:
    """The command line of rlplat in a process of its own."""
    return [sys.executable, "-m", "rlplat", *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment for `command`: the checkout is importable from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def rlplat(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run rlplat to its end."""
    return subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )
