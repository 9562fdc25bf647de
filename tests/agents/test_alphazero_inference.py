import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.alphazero.config import NetworkConfig
from agents.alphazero.cpu_inference import CpuEvaluator
from agents.alphazero.inference import make_evaluator
from agents.alphazero.onnx_inference import OnnxEvaluator
from agents.alphazero.torch_inference import TorchEvaluator
from agents.alphazero.weights import weight_shapes
from rlplat import devices
from rlplat.devices import choose_device
from rlplat.errors import CheckpointError, DeviceError
from rlplat.interfaces import board_spec

ROOT = Path(__file__).resolve().parents[2]
SPEC = board_spec("board", (2, 6, 7), 7)
CONFIGS = {head: NetworkConfig(blocks=2, channels=16, value_head=head) for head in ("scalar", "wdl")}
BATCH = 8


def make_weights(config, seed=0, spec=SPEC):
    rng = np.random.default_rng(seed)
    shapes = weight_shapes(spec, config)
    scales = {name: np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.5 for name, shape in shapes.items()}
    weights = {name: scales[name] * rng.standard_normal(shape) for name, shape in shapes.items()}
    return {
        name: (np.abs(array) + 0.5 if name.endswith("running_var") else array).astype(np.float32)
        for name, array in weights.items()
    }


def make(kind, head="scalar", seed=0):
    config = CONFIGS[head]
    return kind(
        SPEC,
        config,
        make_weights(config, seed),
        batch_size=BATCH,
        **({"device": "cpu"} if kind is TorchEvaluator else {}),
    )


def observations(batch=BATCH, seed=0, spec=SPEC):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, (batch, *spec.observation_shape)).astype(np.float32)


def test_global_pooling_runs_in_torch_on_the_cpu_which_is_told_and_agrees_with_onnx(caplog):
    config = NetworkConfig(blocks=4, channels=16, pooling_channels=6)
    weights = make_weights(config)
    expected = OnnxEvaluator(SPEC, config, weights, batch_size=BATCH)
    with caplog.at_level("INFO"):
        found = make_evaluator(SPEC, config, weights, batch_size=BATCH, device="cpu")
    assert isinstance(found, TorchEvaluator)
    assert "PyTorch on the CPU" in caplog.text
    assert_agree(expected, found, observations())
    with pytest.raises(ValueError, match="global pooling"):
        CpuEvaluator(SPEC, config, weights, batch_size=BATCH)


@pytest.mark.parametrize("head", CONFIGS)
@pytest.mark.parametrize("kind", [CpuEvaluator, OnnxEvaluator])
def test_the_cpu_agrees_with_torch(kind, head):
    assert_agree(make(TorchEvaluator, head), make(kind, head), observations())


@pytest.mark.parametrize(
    ("shape", "num_actions", "channels", "blocks"),
    [
        ((2, 6, 7), 7, 32, 4),
        ((3, 3, 3), 9, 16, 2),
        ((20, 9, 9), 82, 24, 3),
        ((1, 8, 8), 65, 40, 1),
        ((2, 5, 11), 7, 16, 0),
        ((2, 1, 1), 2, 5, 1),
        ((9, 19, 19), 362, 8, 1),
    ],
)
def test_boards_and_networks_of_every_size_agree_with_torch(shape, num_actions, channels, blocks):
    spec, config = board_spec("board", shape, num_actions), NetworkConfig(blocks=blocks, channels=channels)
    weights = make_weights(config, spec=spec)
    expected = TorchEvaluator(spec, config, weights, batch_size=13, device="cpu")
    found = CpuEvaluator(spec, config, weights, batch_size=13, num_threads=2)
    assert_agree(expected, found, observations(13, spec=spec))


@pytest.mark.parametrize(("shape", "num_actions"), [((21, 8, 8), 73 * 64), ((2, 9, 9), 81), ((3, 5, 6), 60)])
def test_planes_of_actions_agree_with_torch_and_onnx(shape, num_actions):
    spec, config = board_spec("board", shape, num_actions), NetworkConfig(blocks=1, channels=16, policy_head="planes")
    weights = make_weights(config, spec=spec)
    expected = TorchEvaluator(spec, config, weights, batch_size=13, device="cpu")
    for found in (
        CpuEvaluator(spec, config, weights, batch_size=13),
        OnnxEvaluator(spec, config, weights, batch_size=13),
    ):
        assert_agree(expected, found, observations(13, spec=spec))


def assert_agree(expected, found, batch):
    for left, right in zip(expected.evaluate(batch), found.evaluate(batch), strict=True):
        assert right.dtype == np.float32
        assert left.shape == right.shape
        assert np.ptp(left, axis=0).max() > 1e-3, "the positions must differ for the comparison to mean something"
        assert np.abs(left - right).max() <= 1e-5 * max(1.0, np.abs(left).max())


def test_threads_change_no_byte():
    config = CONFIGS["wdl"]
    alone, together = (
        CpuEvaluator(SPEC, config, make_weights(config), batch_size=200, num_threads=threads) for threads in (1, 3)
    )
    batch = observations(200)
    for left, right in zip(alone.evaluate(batch), together.evaluate(batch), strict=True):
        assert np.array_equal(left, right)


def test_weights_that_are_not_finite_show_in_the_outputs():
    weights = make_weights(CONFIGS["scalar"])
    weights["blocks.0.first.convolution.weight"][3, 2, 1, 1] = np.nan
    evaluator = make(CpuEvaluator)
    evaluator.set_weights(weights)
    logits, values = evaluator.evaluate(observations())
    assert np.isnan(logits).all()
    assert np.isnan(values).all()


@pytest.mark.parametrize("kind", [CpuEvaluator, TorchEvaluator])
def test_a_position_is_evaluated_alike_in_every_batch(kind):
    evaluator = make(kind)
    full = evaluator.evaluate(observations())
    part = evaluator.evaluate(observations()[:3])
    again = make(kind).evaluate(observations())
    for whole, piece, repeated in zip(full, part, again, strict=True):
        assert np.array_equal(whole[:3], piece)
        assert np.array_equal(whole, repeated)


@pytest.mark.parametrize("kind", [CpuEvaluator, TorchEvaluator])
def test_new_weights_hold_from_the_next_batch_on(kind):
    evaluator = make(kind, seed=0)
    evaluator.set_weights(make_weights(CONFIGS["scalar"], seed=1))
    for found, expected in zip(
        evaluator.evaluate(observations()), make(kind, seed=1).evaluate(observations()), strict=True
    ):
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("kind", [CpuEvaluator, TorchEvaluator])
def test_two_groups_can_be_under_way_at_once(kind):
    evaluator = make(kind)
    buffer = observations(seed=1)
    first = evaluator.submit(buffer)
    buffer[:] = observations(seed=2)  # the caller may overwrite its array at once
    second = evaluator.submit(buffer)
    found = [first.result(), second.result()]
    for seed, (logits, values) in zip((1, 2), found, strict=True):
        expected = make(kind).evaluate(observations(seed=seed))
        assert np.array_equal(logits, expected[0])
        assert np.array_equal(values, expected[1])


def test_a_third_batch_under_way_is_refused():
    evaluator = make(TorchEvaluator)
    pending = [evaluator.submit(observations()) for _ in range(2)]
    with pytest.raises(RuntimeError, match="2 evaluations are pending"):
        evaluator.submit(observations())
    pending[0].result()
    evaluator.submit(observations())


@pytest.mark.parametrize("kind", [CpuEvaluator, TorchEvaluator])
def test_weights_and_batches_of_another_shape_are_refused(kind):
    evaluator = make(kind)
    with pytest.raises(CheckpointError, match="another network or game"):
        evaluator.set_weights(make_weights(NetworkConfig(blocks=1, channels=16)))
    for wrong in (observations(BATCH + 1), observations()[:, :1], observations(0)):
        with pytest.raises(ValueError, match=r"board has \[2, 6, 7\] each, in batches of 1 to 8"):
            evaluator.evaluate(wrong)


def test_the_cpu_evaluates_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from agents.alphazero.config import NetworkConfig\n"
        "from agents.alphazero.inference import make_evaluator\n"
        "from agents.alphazero.weights import weight_shapes\n"
        "from rlplat.interfaces import board_spec\n"
        "spec, config = board_spec('board', (2, 3, 3), 9), NetworkConfig(blocks=1, channels=8)\n"
        "weights = {name: np.ones(shape, np.float32) for name, shape in weight_shapes(spec, config).items()}\n"
        "evaluator = make_evaluator(spec, config, weights, batch_size=4)\n"
        "print(type(evaluator).__name__, evaluator.evaluate(np.zeros((4, 2, 3, 3), np.float32))[0].shape)\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "CpuEvaluator (4, 9)", done.stderr


def with_gpus(monkeypatch, names, reason):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "gpus", lambda: [{"name": name} for name in names])
    monkeypatch.setattr(devices, "_why_no_cuda", lambda: reason)


def test_the_choice_is_logged_in_one_line(monkeypatch, caplog):
    with_gpus(monkeypatch, [], "no GPU")
    config = CONFIGS["scalar"]
    with caplog.at_level(logging.INFO):
        evaluator = make_evaluator(SPEC, config, make_weights(config), batch_size=BATCH, num_threads=1)
    assert isinstance(evaluator, CpuEvaluator)
    assert caplog.messages == ["inference: on the CPU, 1 thread(s), batches of up to 8"]


def test_a_usable_gpu_is_used_unasked(monkeypatch, caplog):
    with_gpus(monkeypatch, ["H100"], None)
    assert choose_device("auto") == "cuda"
    assert choose_device("cuda") == "cuda"
    assert caplog.messages == []


def test_a_gpu_that_stays_unused_is_warned_of_loudly(monkeypatch, caplog):
    with_gpus(monkeypatch, ["H100"], "torch is built without CUDA")
    assert choose_device("auto") == "cpu"
    with_gpus(monkeypatch, ["H100"], None)
    assert choose_device("cpu") == "cpu"
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert all(message.startswith("GPU UNUSED: H100 is there") for message in caplog.messages)
    assert "torch is built without CUDA" in caplog.messages[0]


def test_a_hidden_gpu_is_none(monkeypatch, caplog):
    with_gpus(monkeypatch, ["H100"], None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert choose_device("auto") == "cpu"
    assert caplog.messages == []


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error_that_says_what_to_do(monkeypatch):
    with_gpus(monkeypatch, [], "torch 2.13.0 is built without CUDA; install the CUDA build with X")
    with pytest.raises(DeviceError, match=r"'cuda' was asked for .* install the CUDA build .* placement\.device=auto"):
        choose_device("cuda")


@pytest.mark.parametrize("kind", [CpuEvaluator, TorchEvaluator])
def test_a_result_stays_when_more_is_evaluated(kind):
    evaluator = make(kind)
    first = evaluator.evaluate(observations(1))
    kept = [array.copy() for array in first]
    for seed in range(1, 4):
        evaluator.evaluate(observations(1, seed=seed))
    assert all(np.array_equal(*pair) for pair in zip(first, kept, strict=True))


@pytest.mark.parametrize("head", CONFIGS)
def test_bfloat16_is_near_float32(head):
    config = CONFIGS[head]
    rough = TorchEvaluator(SPEC, config, make_weights(config), batch_size=BATCH, device="cpu", precision="bfloat16")
    exact = make(TorchEvaluator, head).evaluate(observations())
    for left, right in zip(rough.evaluate(observations()), exact, strict=True):
        assert left.dtype == np.float32
        assert 0 < np.abs(left - right).max() < 0.05 * max(1.0, np.abs(right).max())
