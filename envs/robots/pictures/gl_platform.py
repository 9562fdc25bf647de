"""Which way to OpenGL works on this machine: tried once in a process apart, then told to all that start from here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from envs.robots.pictures import gl_probe
from rlplat.errors import SceneError

PLATFORMS = ("egl", "osmesa")
"""In the order in which they are tried: EGL uses a GPU where there is one, OSMesa never does."""
PROBE_LIMIT_S = 60.0
"""A picture takes a second or two, also on a busy machine; a driver that hangs takes for ever."""
CHOICE, PYOPENGL_CHOICE = "MUJOCO_GL", "PYOPENGL_PLATFORM"
"""The variables by which MuJoCo and PyOpenGL are told; workers inherit them."""
PACKAGES = "libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri"
"""Of Debian and Ubuntu: EGL without a GPU."""


@dataclass(frozen=True)
class Probe:
    """What became of a picture on one platform."""

    platform: str
    drawn_by: str
    """Name of the driver; empty: there was no picture."""
    problem: str = ""
    missing: tuple[str, ...] = ()
    """Packages whose libraries cannot be loaded."""

    def __str__(self) -> str:
        if self.drawn_by:
            return f"{self.platform}: {self.drawn_by}"
        packages = f" (missing: {' '.join(self.missing)})" if self.missing else ""
        return f"{self.platform}: {self.problem}{packages}"


@cache
def probe(platform: str, limit_s: float = PROBE_LIMIT_S) -> Probe:
    """Let another process draw a picture, for at most so long."""
    environment = {name: value for name, value in os.environ.items() if name not in (CHOICE, PYOPENGL_CHOICE)}
    try:
        done = subprocess.run(
            [sys.executable, str(Path(gl_probe.__file__)), platform],
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Probe(platform, "", f"the driver hangs: no picture after {limit_s:g} s")
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return Probe(platform, "", f"the driver ended the process that tried it, with code {done.returncode}")
    return Probe(platform, found["drawn_by"], found["problem"], tuple(found["missing"]))


def choose() -> str:
    """Return the platform to draw on, and write it into the environment, for this process and those that it starts.

    A choice that is there already, the user's or that of the process that started this one, is taken as it is.
    Raises SceneError: none works, or the choice is another one.
    """
    chosen = os.environ.get(CHOICE, "").strip().lower()
    if chosen and chosen not in PLATFORMS:
        raise SceneError(
            f"the environment says {CHOICE}={chosen}; rlplat draws without a display: {CHOICE} must be "
            f"{' or '.join(PLATFORMS)}, or unset, so that what works is found; `renderer: cast` needs no OpenGL"
        )
    if not chosen:
        chosen = _first_that_works()
    os.environ[CHOICE] = chosen
    os.environ.setdefault(PYOPENGL_CHOICE, chosen)
    # Mesa would start a thread for each core in every actor; without any, it draws in the one that asks.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    return chosen


def _first_that_works() -> str:
    tried = []
    for platform in PLATFORMS:
        tried.append(probe(platform))
        if tried[-1].drawn_by:
            return platform
    missing = " ".join(tried[0].missing) or PACKAGES
    raise SceneError(
        f"`renderer: gl` needs OpenGL, and there is none here: {'; '.join(map(str, tried))}. Install it with `sudo "
        f"apt-get install {missing}` (rlplat doctor looks again), or set `renderer: cast`, which needs none"
    )
