"""Whether MuJoCo's renderer works on this machine: rows of `rlplat doctor`."""

from __future__ import annotations

import os

from envs.robots.pictures.gl_platform import CHOICE, PACKAGES, PLATFORMS, Probe, probe
from rlplat.doctor import Row


def check_opengl() -> list[Row]:
    """Draw a picture on each platform, in processes apart; say which one would be chosen."""
    probes = [probe(platform) for platform in PLATFORMS]
    return [Row("opengl", *judge(probes, os.environ.get(CHOICE, "").strip().lower()))]


def judge(probes: list[Probe], told: str) -> tuple[str, str, str]:
    """Return state, finding and remedy of what the probes found; `told` is what the environment asks for."""
    works = [found.platform for found in probes if found.drawn_by]
    found = "; ".join(map(str, probes))
    if told and told not in works:
        mend = f"unset {CHOICE}" + (f"    (then {works[0]} is chosen)" if works else "")
        return "warn", f"{CHOICE} is {told}, which does not draw here; {found}", mend
    if works:
        return "ok", f"{told or works[0]} is chosen; {found}", ""
    missing = " ".join(probes[0].missing) or PACKAGES
    nothing = "none: robots are drawn by `cast`, which needs none; `renderer: gl`, for meshes, does not work"
    return "warn", f"{nothing}; {found}", f"sudo apt-get install {missing}"
