"""Films of episodes: what the policy sees, with the points it looks at, beside a picture that is drawn for people; and
what the environment shows as curves.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rlplat.environments.task import Task
from rlplat.environments.task_vector import TaskVector
from rlplat.errors import RunError
from rlplat.evaluation.episodes import Episodes, choose_actions, episode_seed
from rlplat.evaluation.plots import Recorder
from rlplat.interfaces import Arrays, Policy
from rlplat.runs.durable import write_bytes

_log = logging.getLogger(__name__)

HEIGHT = 256
"""Of a film, in pixels, without the line below it."""
LINE = 24
MOST_FRAMES = 1000
"""Of a film: of a longer episode every second step is shown, or every third, ..."""
INK, PAPER, POINT = (235, 235, 235), (24, 26, 30), (255, 64, 160)

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Video:
    """One episode."""

    name: str
    frames: Picture
    """uint8 `[T, H, W, 3]`, H and W even, as encoders want them."""
    frames_per_s: float
    curves: Picture | None = None
    """What the environment showed in numbers, as a picture; None: it names no curves."""


def film(task: Task, policy: Policy, episodes: Episodes, *, seed: int, num: int, split: str) -> list[Video]:
    """Play some of the episodes of an evaluation again, and film them: `num` that succeeded and as many that failed.

    Where the environment does not speak of success they are those with the highest and the lowest returns.

    Args:
        task: the one that the episodes were played in.
        policy: whoever played them; it acts alike again. Its `feature_points` are marked, if it has that.
        episodes: what was played.
        seed: of the evaluation.
        num: films of each kind, at most.
        split: with which their names begin.

    Raises EnvError: the environment draws no pictures of itself.
    """
    chosen = choose(episodes, num)
    if not chosen:
        return []
    vector = task.make_vector(len(chosen), draws=True)
    try:
        seeds = [episode_seed(seed, k) for k in chosen.values()]
        every = -(-int(episodes.lengths[list(chosen.values())].max()) // MOST_FRAMES)
        frames, recorder = _play(task, policy, vector, seeds, every)
        return [
            Video(f"{split}-{name}", np.stack(each), vector.frames_per_s, recorder.picture(i, len(each)))
            for i, (name, each) in enumerate(zip(chosen, frames, strict=True))
        ]
    finally:
        vector.close()


def choose(episodes: Episodes, num: int) -> dict[str, int]:
    """Return numbers of episodes by what they show: `success-1`, `failure-1`, or `best-1`, `worst-1`, ..."""
    if np.isnan(episodes.success).any():
        order = np.argsort(episodes.returns, kind="stable")
        num = min(num, len(order) // 2)
        groups = {"best": order[::-1][:num], "worst": order[:num]}
    else:
        groups = {name: np.flatnonzero(episodes.success == value)[:num] for name, value in KINDS}
    return {f"{name}-{i + 1}": int(k) for name, found in groups.items() for i, k in enumerate(found)}


KINDS = (("success", 1.0), ("failure", 0.0))


def _play(
    task: Task, policy: Policy, vector: TaskVector, seeds: Sequence[int], every: int
) -> tuple[list[list[Picture]], Recorder]:
    getattr(policy, "begin", lambda _: None)(vector)
    observations = vector.reset(seeds)
    frames: list[list[Picture]] = [[] for _ in seeds]
    returns, runs, num_steps = np.zeros(len(seeds)), np.ones(len(seeds), bool), 0
    recorder = Recorder(vector)
    while runs.any():
        if num_steps % every == 0:
            recorder.add(num_steps)
            drawn, points = vector.pictures(), _points(policy, observations)
            time = _time(vector, num_steps)
            for i in np.flatnonzero(runs):
                seen = {name: array[i] for name, array in _views(task, observations)}
                marks = {name: array[i] for name, array in points.items()}
                frames[i].append(compose(seen, marks, drawn[i], f"{time}   return {returns[i]:.2f}"))
        step = vector.step(choose_actions(task, policy, observations))
        returns[runs] += step.rewards[runs]
        runs &= ~step.ended
        observations, num_steps = step.observations, num_steps + 1
    return frames, recorder


def _time(vector: TaskVector, num_steps: int) -> str:
    """The time as the environment counts it; without that, as the film does."""
    if "step" in vector.envs.metadata:
        length, unit = vector.step_length
        return f"{num_steps * length:.1f} {unit}"
    return f"{num_steps / vector.frames_per_s:.1f} s"


def _views(task: Task, observations: Arrays) -> Iterator[tuple[str, Picture]]:
    """The newest picture of each part that the policy sees and that is one."""
    for name, part in task.spec.group("policy").items():
        if part.is_image and part.shape[2] % 3 == 0:
            yield name, observations[name][..., -3:]


def _points(policy: Policy, observations: Arrays) -> dict[str, NDArray[np.floating[Any]]]:
    marks = getattr(policy, "feature_points", None)
    return {} if marks is None else marks(observations)


def compose(
    seen: dict[str, Picture], points: dict[str, NDArray[np.floating[Any]]], drawn: Picture, line: str
) -> Picture:
    """Return a frame: the pictures that are seen `[h, w, 3]`, enlarged, and the drawn one, over a line of text.

    `points` `[P, 2]` are x and y from -1 to 1, of the centres of the outermost pixels, rightwards and downwards.
    """
    panels = [_enlarged(picture, points.get(name)) for name, picture in seen.items()] + [_fitted(drawn)]
    row = np.concatenate(panels, axis=1)
    below = Image.new("RGB", (row.shape[1], LINE), PAPER)
    ImageDraw.Draw(below).text((8, 6), line, fill=INK)
    frame = np.concatenate([row, np.asarray(below)])
    return frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]


def _enlarged(picture: Picture, points: NDArray[np.floating[Any]] | None) -> Picture:
    height, width = picture.shape[:2]
    scale = HEIGHT / height
    image = Image.fromarray(picture).resize((round(width * scale), HEIGHT), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    for x, y in () if points is None else points:
        at = ((x + 1) / 2 * (width - 1) + 0.5) * scale, ((y + 1) / 2 * (height - 1) + 0.5) * scale
        draw.ellipse([at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3], fill=POINT, outline=PAPER)
    return np.asarray(image)


def _fitted(drawn: Picture) -> Picture:
    height, width = drawn.shape[:2]
    if height == HEIGHT:
        return drawn
    return np.asarray(Image.fromarray(drawn).resize((round(width * HEIGHT / height), HEIGHT), Image.Resampling.LANCZOS))


def check_encoder() -> None:
    """Raise RunError if videos cannot be written here."""
    if any(importlib.util.find_spec(name) is None for name in ("imageio", "imageio_ffmpeg")):
        raise RunError("videos need a package that is not installed: pip install 'imageio[ffmpeg]'")


def save_videos(folder: Path, step: int, videos: Sequence[Video]) -> list[Path]:
    """Write videos, see `write_videos`; what the disk refuses costs a warning."""
    try:
        return write_videos(folder, step, videos) if videos else []
    except OSError as error:
        _log.warning("%s: the videos of update %d cannot be kept: %s", folder, step, error.strerror or error)
        return []


def write_videos(folder: Path, step: int, videos: Iterable[Video]) -> list[Path]:
    """Write `<step>-<name>.mp4`, and its curves beside it as `.png`, each whole or not at all; return the paths.

    Raises RunError: no encoder; OSError: the disk.
    """
    check_encoder()
    import imageio.v3 as imageio

    folder.mkdir(exist_ok=True)
    paths = []
    for video in videos:
        path = folder / f"{step:08d}-{video.name}.mp4"
        partial = path.with_name(f".{path.name}.partial.mp4")
        try:
            imageio.imwrite(partial, video.frames, fps=video.frames_per_s, macro_block_size=2)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        paths.append(path)
        if video.curves is not None:
            paths.append(path.with_suffix(".png"))
            write_bytes(paths[-1], _png(video.curves))
    return paths


def _png(picture: Picture) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, format="PNG")
    return encoded.getvalue()
