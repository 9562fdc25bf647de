"""TensorBoard's event file, written without TensorFlow or PyTorch."""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import io
import math
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from rlplat.runs.durable import Appender, write_bytes

Layout = Mapping[str, Mapping[str, Sequence[str]]]
"""TensorBoard's custom layout: category -> chart -> exact names of metrics."""

MOST_GIF_FRAMES_PER_S = 50
MOST_GIF_FRAMES = 200

HParam = bool | int | float | str


class EventFile:
    """One new event file in a run's folder. Every write is in the system's hands when the call returns."""

    def __init__(self, folder: Path, opening: Sequence[Event]) -> None:
        """`opening` are the events that stand first. The file is made by the first `add`."""
        version = Event(wall_time=time.time(), file_version="brain.Event:2")
        self._folder = folder
        self._opening = b"".join(_frame(event) for event in (version, *opening))
        self._appender: Appender | None = None

    def add(self, event: Event) -> None:
        """Append one event; raises OSError, and then the file is as it was before."""
        if self._appender is None:
            appender = Appender(_new_path(self._folder))
            try:
                appender.append(self._opening)
            except OSError:
                appender.close()
                raise
            self._appender = appender
        self._appender.append(_frame(event))

    def close(self) -> None:
        if self._appender is not None:
            self._appender.close()
            self._appender = None


def keep_steps(folder: Path, last_step: int) -> None:
    """Rewrite the event files of a folder without the events after `last_step` and without torn ends.

    A TensorBoard that starts later sees the resumed run only. `restart` alone would not do: of TensorBoard's two
    readers one takes it for nothing, and both keep metrics that never come again. Raises OSError.
    """
    for path in folder.glob("events.out.tfevents.*"):
        content = path.read_bytes()
        kept = b"".join(frame for frame, event in _frames(content) if event.file_version or event.step <= last_step)
        if len(kept) != len(content):
            write_bytes(path, kept)


def restart(step: int) -> Event:
    """Tell a TensorBoard that is watching that training starts again at `step`: what it read of later is void."""
    return Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))


def scalars(step: int, values: Mapping[str, float]) -> Event:
    return _event(step, *(Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()))


def text(step: int, tag: str, markdown: str) -> Event:
    metadata = text_metadata.create_summary_metadata(display_name=None, description=None)
    return _event(step, Summary.Value(tag=tag, metadata=metadata, tensor=_string(markdown.encode(), (1,))))


def image(step: int, tag: str, pixels: np.ndarray[Any, Any]) -> Event:
    """Show one image: `pixels` uint8 `[H, W, C]` with 1 (grey), 3 (RGB) or 4 (RGBA) channels; raises ValueError."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise ValueError(f"image '{tag}' is {pixels.dtype} {list(pixels.shape)}; it must be uint8 [H, W, 1, 3 or 4]")
    height, width, channels = pixels.shape
    encoded = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(encoded, format="PNG")
    picture = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded.getvalue())
    return _event(step, Summary.Value(tag=tag, image=picture))


def video(step: int, tag: str, frames: np.ndarray[Any, Any], frames_per_s: float) -> Event:
    """Show a film, uint8 `[T, H, W, 3]`, among the images: TensorBoard plays GIFs there.

    A GIF cannot show more than 50 frames a second, and long films get large: some frames are left out then.
    """
    stride = max(1, math.ceil(frames_per_s / MOST_GIF_FRAMES_PER_S), math.ceil(len(frames) / MOST_GIF_FRAMES))
    kept = [Image.fromarray(frame).quantize(64) for frame in frames[::stride]]
    encoded = io.BytesIO()
    milliseconds = round(1000 * stride / frames_per_s)
    kept[0].save(encoded, format="GIF", save_all=True, append_images=kept[1:], duration=milliseconds, loop=0)
    _, height, width, channels = frames.shape
    picture = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded.getvalue())
    return _event(step, Summary.Value(tag=tag, image=picture))


def layout(charts: Layout) -> Event:
    """Arrange metrics into the charts of TensorBoard's custom scalars."""
    categories = [
        layout_pb2.Category(title=title, chart=[_chart(name, tags) for name, tags in content.items()])
        for title, content in charts.items()
    ]
    message = layout_pb2.Layout(category=categories).SerializeToString()
    metadata = layout_metadata.create_summary_metadata()
    return _event(0, Summary.Value(tag=layout_metadata.CONFIG_SUMMARY_TAG, metadata=metadata, tensor=_string(message)))


def hparams_start(values: Mapping[str, HParam]) -> Event:
    """Give the run's hyper-parameters.

    No experiment summary is written beside it: TensorBoard reads that of a single run and would then hide the
    hyper-parameters and metrics that only other runs in the same folder have; without one it shows the union.
    """
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=time.time())
    for name, value in values.items():
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            start.hparams[name].number_value = value
        else:
            start.hparams[name].string_value = str(value)
    content = plugin_data_pb2.HParamsPluginData(session_start_info=start)
    return _hparams_event(hparams_metadata.SESSION_START_INFO_TAG, content)


def hparams_end() -> Event:
    """Mark the run as done among TensorBoard's sessions of hyper-parameters."""
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=time.time())
    content = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    return _hparams_event(hparams_metadata.SESSION_END_INFO_TAG, content)


def _hparams_event(tag: str, content: Any) -> Event:
    metadata = hparams_metadata.create_summary_metadata(content)
    return _event(0, Summary.Value(tag=tag, metadata=metadata, tensor=hparams_metadata.NULL_TENSOR))


def _chart(title: str, tags: Sequence[str]) -> Any:
    patterns = [f"^{re.escape(tag)}$" for tag in tags]  # TensorBoard takes tags as regular expressions
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=patterns))


def _string(value: bytes, shape: tuple[int, ...] = ()) -> TensorProto:
    dims = [TensorShapeProto.Dim(size=size) for size in shape]
    return TensorProto(dtype=DT_STRING, string_val=[value], tensor_shape=TensorShapeProto(dim=dims))


def _event(step: int, *values: Summary.Value) -> Event:
    return Event(wall_time=time.time(), step=step, summary=Summary(value=values))


def _frame(event: Event) -> bytes:
    """Return an event with the length and checksums that stand around it in the file."""
    framed = io.BytesIO()
    RecordWriter(framed).write(event.SerializeToString())
    return framed.getvalue()


def _frames(content: bytes) -> Iterator[tuple[bytes, Event]]:
    """Yield the events of a file with the bytes that hold them; ends where the file was torn or damaged.

    A frame is the length (8 bytes, little-endian), its checksum (4 bytes), the event, and its checksum (4 bytes).
    """
    start = 0
    while start + 12 <= len(content):
        end = start + 16 + int.from_bytes(content[start : start + 8], "little")
        if end > len(content):
            return
        try:
            event = Event.FromString(content[start + 12 : end - 4])
        except DecodeError:
            return
        yield content[start:end], event
        start = end


def _new_path(folder: Path) -> Path:
    """Name a file that sorts after those that are there: TensorBoard reads them in the order of their names."""
    pattern = re.compile(r"events\.out\.tfevents\.(\d{10})\.")
    stamps = [int(match[1]) for path in folder.iterdir() if (match := pattern.match(path.name))]
    stamp = max([int(time.time()), *(found + 1 for found in stamps)])
    return folder / f"events.out.tfevents.{stamp:010d}.{socket.gethostname()}.{os.getpid()}.0"
