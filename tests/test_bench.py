import subprocess
import sys
import time
from pathlib import Path

import pytest

import agents.alphazero.bench as alphazero
import agents.alphazero.self_play_bench as self_play
from agents.alphazero.config import NetworkConfig
from envs import rules_bench
from rlplat import bench
from rlplat.errors import RlplatError
from rlplat.hardware import num_cores
from rlplat.registry import names
from rlplat.reports import Result

ROOT = Path(__file__).resolve().parents[1]
TINY = {"8x1": NetworkConfig(channels=8, blocks=1)}


def by_name(results: list[Result]) -> dict[str, Result]:
    return {result.name: result for result in results}


@pytest.fixture
def own_benchmarks(monkeypatch):
    monkeypatch.setattr(bench, "_benchmarks", dict(bench._benchmarks))


def test_content_brings_its_benchmarks_and_an_unknown_word_names_them(own_benchmarks):
    with pytest.raises(
        RlplatError,
        match="'zzz'; there are: farm, inference, learner, placement, render, rollout, rules, search, selfplay, solver",
    ):
        bench.run("zzz")
    with pytest.raises(RlplatError, match="'serch'; did you mean search"):
        bench.run("serch")


def test_a_registered_benchmark_runs_under_its_name(own_benchmarks):
    bench.register("toy", lambda: [Result("toy.speed", 3.0)])
    assert bench.run("toy") == [Result("toy.speed", 3.0)]


def test_registering_the_benchmarks_imports_no_heavy_module():
    code = (
        "import sys, agents; print(*sorted({'numpy', 'torch', 'onnx', 'onnxruntime', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_repeated_work_has_the_rate_of_what_it_counts():
    rate = bench.repeat(lambda: time.sleep(0.01) or 5)(0.05)
    assert 5 < rate <= 500


def test_measurements_alternate_after_one_turn_of_warming_up():
    order = []

    def record(name):
        return lambda seconds: order.append((name, seconds)) or float(len(order))

    found = bench.alternate({"a": record("a"), "b": record("b")}, seconds=10.0, rounds=3)
    assert order == [("a", 1.0), ("b", 1.0)] + 3 * [("a", 10.0), ("b", 10.0)]
    assert (found["a"].values, found["b"].values) == ((3.0, 5.0, 7.0), (4.0, 6.0, 8.0))


def test_a_result_is_the_median_with_its_spread_and_a_ratio_is_taken_round_by_round():
    mine, theirs = bench.Measured((10.0, 40.0, 30.0), 3.0), bench.Measured((5.0, 10.0, 10.0), 2.0)
    assert mine.result("x", "y/s", threads=1) == Result("x", 30.0, "y/s", min=10.0, max=40.0, seconds=3.0, threads=1)
    # The machine was slow in the first round, for both.
    assert mine.over(theirs) == bench.Measured((2.0, 4.0, 3.0), 5.0)


def test_the_tree_is_measured_on_every_shipped_game(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # open_spiel's chess takes seconds a search
    results = by_name(bench.search(seconds=0.02, rounds=2))
    for game in names("game"):
        for kind in ("null", "rollout"):
            result = results[f"tree.{game}.{kind}"]
            assert result.value > (1_000 if (game, kind) == ("chess", "rollout") else 10_000)  # games of chess are long
            assert (result.unit, result.fields["threads"], result.fields["simulations"]) == ("simulations/s", 1, 800)
            assert result.fields["min"] <= result.value <= result.fields["max"]
    # Half the shortest game, where that is less than 8 plies.
    assert results["tree.tictactoe.null"].fields["opening_plies"] == 2


def test_open_spiel_is_left_out_with_a_note_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pyspiel" else 1)
    monkeypatch.setattr(bench.registry, "names", lambda kind: ["connect_four"])
    results = by_name(bench.search(seconds=0.001, rounds=1))
    assert results["tree.connect_four.open_spiel_rollout"].value is None
    assert "pip install open_spiel" in results["tree.connect_four.open_spiel_rollout"].fields["note"]
    assert "tree.connect_four.rollout_ratio" not in results


def test_open_spiel_is_measured_beside_the_tree_where_it_is_installed(monkeypatch):
    pytest.importorskip("pyspiel")
    monkeypatch.setattr(bench.registry, "names", lambda kind: ["connect_four"])
    results = by_name(bench.search(seconds=0.05, rounds=3))
    assert results["tree.connect_four.rollout_ratio"].value > 1


def test_two_threads_are_measured_beside_one_in_games_of_self_play(monkeypatch):
    monkeypatch.setattr(bench.registry, "names", lambda kind: ["othello"])
    scaling = by_name(bench.search(seconds=0.05, rounds=3))["tree.othello.thread_scaling"]
    assert 0.3 < scaling.value < 2.5  # by the clock, beside other programs
    assert (scaling.fields["threads"], scaling.fields["simulations"]) == (2, 800)
    monkeypatch.setattr(bench, "num_cores", lambda: 1)
    scaling = by_name(bench.search(seconds=0.001, rounds=1))["tree.othello.thread_scaling"]
    assert scaling.value is None
    assert "one core" in scaling.fields["note"]


def test_rules_are_measured_by_moves_made_and_games_played(monkeypatch):
    monkeypatch.setattr(rules_bench, "GAMES_PER_CALL", 10)
    results = by_name(rules_bench.rules(seconds=0.02, rounds=2, plies=2))
    assert results["rules.chess.perft"].value > 100_000
    assert (results["rules.chess.perft"].unit, results["rules.chess.perft"].fields["plies"]) == ("nodes/s", 2)
    assert results["rules.go_9.playouts"].value > 500


def test_every_solver_is_timed_on_openings_that_it_can_answer():
    results = by_name(bench.solver(num_positions=20))
    games = ("connect_four", "othello", "tictactoe")
    assert set(results) == {f"solver.{game}.{kind}" for game in games for kind in ("mean_s", "worst_s")}
    mean, worst = results["solver.connect_four.mean_s"], results["solver.connect_four.worst_s"]
    assert 0 < mean.value < worst.value < 10
    assert mean.value == pytest.approx(mean.fields["seconds"] / 20)
    assert (mean.fields["plies"], mean.fields["positions"], mean.fields["threads"]) == (12, 20, 1)


def test_rates_of_steps_in_threads_add_up():
    def step(name, count):
        return lambda: time.sleep(0.01) or {name: 1, "all": count}

    rates = self_play.run_together([step("first", 1), step("second", 2)], 0.1)
    assert 0 < rates["first"] <= 100
    assert 0 < rates["second"] <= 100
    assert rates["all"] == pytest.approx(rates["first"] + 2 * rates["second"])


def test_a_step_that_fails_ends_the_measurement():
    def broken():
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        self_play.run_together([lambda: {"done": 1}, broken], 0.05)


def test_self_play_is_measured_with_its_cache_and_against_bare_networks():
    results = by_name(
        self_play.selfplay(
            games=["tictactoe"], seconds=0.3, warm_up_s=0.1, share_s=0.05, rounds=2, bare_batches=(16, 64)
        )
    )
    parts = [f"selfplay.tictactoe.share.{part}" for part in ("network", "tree", "encoding", "python", "waiting")]
    assert list(results) == [
        "selfplay.tictactoe.simulations",
        *parts,
        "selfplay.tictactoe.limit",
        "selfplay.tictactoe.network_share",
    ]
    assert sum(results[part].value for part in parts) == pytest.approx(100.0)
    assert min(results[part].value for part in parts[:-1]) > 0.0
    assert "of the time: that is the limit; " in results["selfplay.tictactoe.limit"].value
    simulations, share = results["selfplay.tictactoe.simulations"], results["selfplay.tictactoe.network_share"]
    assert simulations.value > 1000
    assert simulations.fields["threads"] == num_cores()
    assert 0 < simulations.fields["cache_hits"] <= 1
    assert 0 < simulations.fields["batch_fill"] <= 1
    assert simulations.fields["evaluations_per_s"] < simulations.value
    assert 0.02 < share.value < 2
    assert share.fields["bare_batch"] in (16, 64)
    assert share.fields["bare_networks"] in (1, num_cores())


def test_network_share_is_measured_without_a_cache(monkeypatch):
    configs = []
    players = self_play._Players

    def record(name, game, config):
        configs.append(config)
        return players(name, game, config)

    monkeypatch.setattr(self_play, "_Players", record)
    self_play.selfplay(games=["tictactoe"], seconds=0.05, warm_up_s=0.05, share_s=0.02, rounds=1, bare_batches=(16,))
    assert [config.self_play.cache_mib for config in configs] == [8, 0]


def test_inference_is_measured_at_every_batch_beside_onnx_runtime():
    results = by_name(alphazero.inference(seconds=0.01, rounds=2, networks=TINY))
    assert list(results) == [
        *(f"inference.8x1.batch{batch}" for batch in (1, 16, 64, 256)),
        "inference.8x1.new_weights_s",
    ]
    batch = results["inference.8x1.batch16"]
    assert batch.value > 0
    assert batch.fields["ratio"] == pytest.approx(batch.value / batch.fields["onnxruntime"], rel=0.5)
    assert 0 < results["inference.8x1.new_weights_s"].value < 1


def test_inference_in_torch_is_measured_beside_bare_forward_passes():
    (result,) = alphazero.torch_inference(seconds=0.05, rounds=2, networks=TINY, batches=(16,), device="cpu")
    assert result.name == "inference.8x1.cpu.batch16"
    assert (result.fields["device"], result.fields["precision"]) == ("the CPU", "float32")
    assert result.fields["plain"] > 0
    assert 0.02 < result.fields["share"] < 5


def test_the_learner_is_measured_with_its_replay():
    results = by_name(alphazero.learner(seconds=0.05, rounds=2, networks=TINY, num_positions=50_000))
    assert results["learner.8x1.updates"].value > 0
    fields = results["learner.8x1.updates"].fields
    assert (fields["batch"], fields["precision"]) == (256, "float32" if fields["device"] == "cpu" else "bfloat16")
    assert fields["plain"] > 0
    assert 0.02 < fields["share"] < 5
    replay = results["learner.replay.bytes_per_position"]
    assert 30 < replay.value < 150
    assert replay.fields["memory_bytes"] == pytest.approx(replay.value * 50_000)
