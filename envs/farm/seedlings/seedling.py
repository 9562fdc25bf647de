"""Seedlings in their plugs, as MJCF: a box of substrate, a stem of segments, leaves that give way.

A segment is held by springs of stiffness k = E I / L with I = pi d^4 / 64 (Euler and Bernoulli's beam, one segment of
length L); a leaf's stalk is a tenth as stiff. What differs between seedlings is written into fields of the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PLUG_HALF_M = 0.0125
"""Of a plug's width."""
PLUG_HALF_HEIGHT_M = 0.02
PLUG_KG = 0.012
NUM_SEGMENTS, NUM_LEAVES = 3, 4
SEGMENT_M = 0.010
STEM_DIAMETER_M = 0.002
STEM_ELASTICITY_PA = 20e6
STIFFNESS_NM_RAD = STEM_ELASTICITY_PA * math.pi * STEM_DIAMETER_M**4 / 64 / SEGMENT_M
DAMPING_RATIO = 0.2
SEGMENT_KG, LEAF_KG = 0.1e-3, 0.2e-3
LEAF_M = (0.019, 0.0105, 0.0016)
"""Half axes of a leaf of a seedling of size 1."""
LEAF_FROM_STEM_M = 0.019
GOOD_RGB, POOR_RGB = (0.20, 0.66, 0.16), (0.86, 0.78, 0.22)
"""Of leaves at quality 1 and 0."""
LEAN_RAD = 0.6
"""How far a seedling of quality 0 leans."""
GOOD_QUALITY = 0.5
"""From here on a seedling is good."""


@dataclass(frozen=True)
class Seedling:
    """A seedling in a cell of the tray."""

    row: int
    column: int
    size: float = 1.0
    """Of its leaves, 1 being usual: 0.3 to 1.3."""
    quality: float = 1.0
    """1: green and upright, 0: yellow and leaning; below `GOOD_QUALITY` it is poor and should be left."""
    adhesion_n: float = 3.0
    """Force up to which its cell holds the plug."""

    @property
    def is_good(self) -> bool:
        """Whether it should be planted."""
        return self.quality >= GOOD_QUALITY


def seedling(number: int, collides_plug: str, collides_foliage: str) -> str:
    """Return seedling `number` as MJCF, a body `plug<number>` with a free joint whose dry friction is the adhesion."""
    return f"""
    <body name="plug{number}" pos="0 0 {-1 - number}">
      <joint name="plug{number}" type="free" solimpfriction=".9999 .9999 .001" solreffriction=".01 1"/>
      <geom name="plug{number}" type="box" size="{PLUG_HALF_M} {PLUG_HALF_M} {PLUG_HALF_HEIGHT_M}" mass="{PLUG_KG}"
        condim="4" friction="1.2 .005 .0001" solref=".006 1" rgba=".42 .26 .15 1" {collides_plug}/>
      {_stem(number, 0, collides_foliage)}
    </body>"""


def _stem(number: int, segment: int, collides: str) -> str:
    bend, drag = STIFFNESS_NM_RAD, 2 * DAMPING_RATIO * math.sqrt(STIFFNESS_NM_RAD * 1e-6)
    last = segment == NUM_SEGMENTS - 1
    joints = "".join(
        f'<joint name="stem{number}_{segment}{axis}" type="hinge" axis="{vector}" stiffness="{bend:.4g}" '
        f'damping="{drag:.3g}" armature="1e-7"/>'
        for axis, vector in (("x", "1 0 0"), ("y", "0 1 0"))
    )
    above = _leaves(number, collides) if last else _stem(number, segment + 1, collides)
    height = SEGMENT_M if segment else PLUG_HALF_HEIGHT_M
    site = f'<site name="stem{number}"/>' if not segment else ""
    return (
        f'<body name="stem{number}_{segment}" pos="0 0 {height}">{joints}{site}'
        f'<geom name="stem{number}_{segment}" type="capsule" size="{1.2 * STEM_DIAMETER_M}" '
        f'fromto="0 0 0 0 0 {SEGMENT_M}" mass="{SEGMENT_KG}" rgba=".45 .66 .25 1" {collides}/>{above}</body>'
    )


def _leaves(number: int, collides: str) -> str:
    bend, drag = STIFFNESS_NM_RAD / 10, 2 * DAMPING_RATIO * math.sqrt(STIFFNESS_NM_RAD / 10 * 1e-7)
    size = " ".join(map(str, LEAF_M))
    return "".join(
        f'<body name="leaf{number}_{leaf}" pos="0 0 {SEGMENT_M}" euler="0 0 {45 + 360 / NUM_LEAVES * leaf}">'
        f'<joint name="leaf{number}_{leaf}" type="hinge" axis="0 1 0" stiffness="{bend:.4g}" damping="{drag:.3g}" '
        f'armature="1e-7"/>'
        f'<geom name="leaf{number}_{leaf}" type="ellipsoid" size="{size}" pos="{LEAF_FROM_STEM_M} 0 .006" '
        f'euler="0 -20 0" mass="{LEAF_KG}" {collides}/></body>'
        for leaf in range(NUM_LEAVES)
    )


def sensors(number: int) -> str:
    """Return what feels the seedling as MJCF: the force of each finger on the plug and on the foliage, of the stem."""
    fingers = "".join(
        f'<contact name="squeeze{number}_{side}" geom1="plug{number}" geom2="{side}_finger" reduce="netforce" '
        f'data="force"/><contact name="touch{number}_{side}" subtree1="stem{number}_0" body2="{side}_finger" '
        f'reduce="netforce" data="force"/>'
        for side in ("left", "right")
    )
    return f'{fingers}<force name="stem{number}" site="stem{number}"/>'
