import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.hparams import metadata as hparams_metadata

from rlplat.runs import events
from rlplat.runs.folder import RunFolder
from rlplat.runs.metrics import MetricsWriter

LAYOUT = {"Learning": {"losses": ["loss/policy", "loss/value"], "entropy": ["policy_entropy"]}}
HPARAMS = {"learning_rate": 0.02, "blocks": 4, "ema": True, "optimizer": "sgd"}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", config_text="", info={"seed": 1})


def writer(folder: RunFolder, purge_from: int | None = None) -> MetricsWriter:
    return MetricsWriter(folder, layout=LAYOUT, hparams=HPARAMS, purge_from=purge_from)


def lines(folder: RunFolder) -> list[dict[str, float | None]]:
    return [json.loads(line) for line in folder.metrics_path.read_text().splitlines()]


def event_files(folder: RunFolder) -> list[Path]:
    return sorted(folder.path.rglob("events.out.tfevents.*"))


def read(folder: RunFolder) -> EventAccumulator:
    return EventAccumulator(str(folder.path), size_guidance={"tensors": 0, "scalars": 0, "images": 0}).Reload()


def points(found: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(point.step, round(point.value, 6)) for point in found.Scalars(tag)]


def test_scalars_layout_and_hparams_stand_in_one_event_file(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        metrics.write(10, {"loss/policy": 1.5, "loss/value": 0.5})
        metrics.write(20, {"loss/policy": 1.25, "games": 7})
        metrics.hparams_result({"result/score": 0.9})
    assert len(event_files(folder)) == 1
    found = read(folder)
    assert points(found, "loss/policy") == [(10, 1.5), (20, 1.25)]
    assert points(found, "games") == [(20, 7.0)]
    assert points(found, "result/score") == [(20, 0.9)]

    stored = found.Tensors(layout_metadata.CONFIG_SUMMARY_TAG)[0].tensor_proto.string_val[0]
    layout = layout_pb2.Layout.FromString(stored)
    charts = {chart.title: list(chart.multiline.tag) for chart in layout.category[0].chart}
    assert layout.category[0].title == "Learning"
    assert charts == {"losses": ["^loss/policy$", "^loss/value$"], "entropy": ["^policy_entropy$"]}

    content = found.SummaryMetadata(hparams_metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = hparams_metadata.parse_session_start_info_plugin_data(content).hparams
    assert start["learning_rate"].number_value == 0.02 and start["blocks"].number_value == 4
    assert start["ema"].bool_value is True and start["optimizer"].string_value == "sgd"
    assert hparams_metadata.SESSION_END_INFO_TAG in found.Tags()["tensors"]


def test_lines_hold_step_time_and_metrics(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        metrics.write(3, {"loss/policy": np.float32(0.5), "games": 7})
    (line,) = lines(folder)
    assert line.pop("time") > 1.7e9
    assert line == {"step": 3, "loss/policy": 0.5, "games": 7.0}


def test_a_killed_writer_loses_nothing_that_was_written(folder: RunFolder) -> None:
    metrics = writer(folder)
    metrics.write(1, {"x": 1.0})
    assert points(read(folder), "x") == [(1, 1.0)] and len(lines(folder)) == 1
    metrics.close()


def test_a_resumed_run_shows_no_stale_tail(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        for step in range(1, 7):
            metrics.write(step, {"x": step})
            metrics.text(step, "note", f"first {step}")
        metrics.write(6, {"only/then": 1.0})
    with open(folder.metrics_path, "a") as file:
        file.write('{"step": 7, "torn')
    with writer(folder, purge_from=4) as metrics:
        metrics.write(5, {"x": 50})
        metrics.text(5, "note", "second 5")
    assert [(line["step"], line["x"]) for line in lines(folder)] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 50)]
    assert len(event_files(folder)) == 2
    found = read(folder)
    assert points(found, "x") == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 50)]
    assert "only/then" not in found.Tags()["scalars"]
    notes = [note.tensor_proto.string_val[0].decode() for note in found.Tensors("note")]
    assert notes == ["first 1", "first 2", "first 3", "first 4", "second 5"]
    assert found.Tensors(layout_metadata.CONFIG_SUMMARY_TAG)


def test_a_tensorboard_that_watches_a_resume_drops_the_stale_tail(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        for step in range(1, 7):
            metrics.write(step, {"x": step})
    watching = EventAccumulator(str(folder.path)).Reload()
    assert points(watching, "x")[-1] == (6, 6)
    with writer(folder, purge_from=4) as metrics:
        metrics.write(5, {"x": 50})
    assert points(watching.Reload(), "x") == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 50)]


def test_a_run_that_goes_back_while_it_is_written_leaves_no_step_out_and_none_double(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        for step in range(1, 7):
            metrics.write(step, {"x": step})
        watching = EventAccumulator(str(folder.path)).Reload()
        metrics.rewind(4)
        metrics.write(5, {"x": 50})
        metrics.rewind(4)
        metrics.write(5, {"x": 51})
        metrics.write(6, {"x": 60})
    expected = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 51), (6, 60)]
    assert [(line["step"], line["x"]) for line in lines(folder)] == expected
    assert points(read(folder), "x") == expected
    assert points(watching.Reload(), "x") == expected


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_an_event_file_torn_by_a_kill_keeps_its_whole_events(folder: RunFolder, cut: int) -> None:
    with writer(folder) as metrics:
        for step in range(1, 4):
            metrics.write(step, {"x": step})
    (torn,) = event_files(folder)
    torn.write_bytes(torn.read_bytes()[:-cut])
    with writer(folder, purge_from=2) as metrics:
        metrics.write(3, {"x": 30})
    assert points(read(folder), "x") == [(1, 1), (2, 2), (3, 30)]


def test_a_run_resumed_from_its_very_start_keeps_nothing_of_before(folder: RunFolder) -> None:
    with writer(folder) as metrics:
        metrics.write(0, {"x": 1})
        metrics.write(1, {"x": 2})
    with writer(folder, purge_from=-1) as metrics:
        metrics.write(0, {"x": 3})
    assert [line["x"] for line in lines(folder)] == [3]
    assert points(read(folder), "x") == [(0, 3)]


def test_event_files_sort_in_the_order_of_writing_even_within_a_second(folder: RunFolder) -> None:
    paths = []
    for step in range(3):
        with writer(folder, purge_from=step - 1) as metrics:
            metrics.write(step, {"x": step})
        paths.append((set(event_files(folder)) - set(paths)).pop())
    assert event_files(folder) == paths


def test_text_and_images_are_shown(folder: RunFolder) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    with writer(folder) as metrics:
        metrics.text(1, "config", "# Größe\n")
        metrics.image(2, "board", pixels)
        metrics.image(2, "grey", pixels[:, :, :1])
        with pytest.raises(ValueError, match=r"'bad' is float32 \[5, 7, 3\]"):
            metrics.image(2, "bad", pixels.astype(np.float32))
    found = read(folder)
    assert found.Tensors("config")[0].tensor_proto.string_val[0].decode() == "# Größe\n"
    assert found.SummaryMetadata("config").plugin_data.plugin_name == "text"
    (shown,) = found.Images("board")
    assert (shown.step, shown.width, shown.height) == (2, 7, 5)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(shown.encoded_image_string))), pixels)
    grey = np.array(Image.open(io.BytesIO(found.Images("grey")[0].encoded_image_string)))
    np.testing.assert_array_equal(grey, pixels[:, :, 0])


def test_a_number_that_is_none_becomes_null_and_is_named_once(
    folder: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with writer(folder) as metrics:
        metrics.write(1, {"loss": float("nan"), "fine": 1.0})
        metrics.write(2, {"loss": float("inf"), "fine": 1.0})
        metrics.write(3, {"other": float("-inf")})
    assert [line.get("loss", "absent") for line in lines(folder)] == [None, None, "absent"]
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "metric loss is nan at step 1",
        "metric other is -inf at step 3",
    ]


def test_a_full_disk_costs_metrics_and_one_warning_but_not_the_run(folder: RunFolder) -> None:
    script = """
import logging, resource, signal, sys
from rlplat.runs.folder import RunFolder
from rlplat.runs.metrics import MetricsWriter
logging.basicConfig(format="%(message)s", stream=sys.stdout)
metrics = MetricsWriter(RunFolder.open(sys.argv[1]), layout={}, hparams={})
metrics.write(1, {"x": 1.0})
for step, limit in ((2, 400), (3, 400), (4, resource.RLIM_INFINITY)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    metrics.write(step, {f"long/{i}": 1.0 for i in range(100)} | {"x": step})
metrics.close()
"""
    command = [sys.executable, "-c", script, str(folder.path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.count("cannot be written") == 1 and "training goes on" in done.stdout
    assert [line["step"] for line in lines(folder)] == [1, 4]
    assert points(read(folder), "x") == [(1, 1), (4, 4)]


def test_a_folder_that_vanished_costs_one_warning(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    folder.path.rename(folder.path.with_name("moved"))
    with writer(folder) as metrics:
        metrics.write(1, {"x": 1.0})
        metrics.write(2, {"x": 1.0})
    assert len(caplog.records) == 1


def test_neither_torch_nor_tensorflow_is_imported() -> None:
    script = "import sys, rlplat.runs.metrics, rlplat.runs.checkpoint, rlplat.runs.console; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not {"torch", "tensorflow", "ray"} & set(done.stdout.split())


def test_hparams_of_runs_of_different_agents_are_all_shown(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams.backend_context import Context

    for name, hparams in (("games", {"blocks": 4}), ("robots", {"clip": 0.2})):
        folder = RunFolder.create(tmp_path / name, config_text="", info={})
        with MetricsWriter(folder, layout={}, hparams=hparams) as metrics:
            metrics.write(1, {f"{name}/score": 1.0})
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path)).Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path))
    context = Context(TBContext(data_provider=provider))
    request = RequestContext()
    runs = context.hparams_metadata(request, "")
    assert set(runs) == {"games", "robots"}
    experiment = context.experiment_from_metadata(
        request, "", True, runs, context.hparams_from_data_provider(request, "", None)
    )
    assert {hparam.name for hparam in experiment.hparam_infos} == {"blocks", "clip"}
    assert {metric.name.tag for metric in experiment.metric_infos} == {"games/score", "robots/score"}


def test_a_layout_matches_metrics_by_their_exact_names() -> None:
    event = events.layout({"c": {"chart": ["a.b", "loss[0]"]}})
    layout = layout_pb2.Layout.FromString(event.summary.value[0].tensor.string_val[0])
    assert list(layout.category[0].chart[0].multiline.tag) == [r"^a\.b$", r"^loss\[0\]$"]
