"""An arm of six joints with a parallel gripper, of primitive geoms, as MJCF.

It stands at the origin and reaches along x. With all joints at 0 the upper arm points up, the forearm ahead and the
hand down. The joints turn the base, lean the upper arm, bend the elbow, roll the forearm, bend the wrist and roll the
hand.
"""

from __future__ import annotations

import numpy as np

NUM_JOINTS = 6
MAX_SPEED_RAD_S = np.array([2.5, 2.5, 2.5, 3.5, 3.5, 3.5])
"""Of the joints: what an action of 1 asks for in velocity control."""
MAX_TORQUE_NM = np.array([40.0, 50.0, 30.0, 12.0, 12.0, 8.0])
"""Of the joints: what an action of 1 exerts in torque control, and more than which no servo exerts."""
SPEED_GAIN_NMS_RAD = np.array([80.0, 80.0, 50.0, 12.0, 12.0, 6.0])
"""Of the servos that hold a joint's speed: torque per error of speed."""
DAMPING_NMS_RAD = np.array([4.0, 4.0, 3.0, 1.0, 1.0, 0.5])
"""Of the joints."""
HOME_RAD = np.array([0.0, 0.26372, 0.26326, 0.0, -0.52698, 0.0])
"""The hand 45 cm ahead and 30 cm above the floor, pointing down."""
OPENING_M = 0.045
"""Between the middle and each finger's pad when the gripper is open."""
FINGERS = {"left": 1, "right": -1}
"""On which side of the middle each is."""

# What collides: the floor with arm and objects, palm and fingers with objects. An arm does not collide with itself.
FLOOR_COLLIDES = 'contype="1" conaffinity="0"'
ARM_COLLIDES = 'contype="0" conaffinity="1"'
FINGERS_COLLIDE = 'contype="0" conaffinity="3"'
OBJECT_COLLIDES = 'contype="2" conaffinity="1"'
NEVER_COLLIDES = 'contype="0" conaffinity="0"'

_LIMITS_DEG = ((-150, 150), (-80, 110), (-100, 130), (-120, 120), (-120, 120), (-150, 150))
_ARMATURE_KGM2 = (0.3, 0.3, 0.2, 0.08, 0.08, 0.04)
"""Of the rotors behind their gears, as the joints feel them."""
_FINGER_COLOUR = 'rgba=".15 .75 .88 1"'
_CLOSED_FINGERS = (
    '<geom name="fingers" type="capsule" size=".018" fromto="0 0 -.02 0 0 -.079" mass=".1" '
    f"{_FINGER_COLOUR} {FINGERS_COLLIDE}/>"
)
"""Round, as what pushes a block should be: it has no edge that slides off."""
_AXES = ("0 0 1", "0 1 0", "0 1 0", "1 0 0", "0 1 0", "0 0 1")


def body(*, movable_fingers: bool, fingers_collide: str = FINGERS_COLLIDE, in_palm: str = "") -> str:
    """Return the arm. Fingers that do not move are closed, and one geom. `in_palm` is added to the palm as it is.

    Motors bear the arm's own weight (`gravcomp`), as the controllers of real arms do; what it holds it feels.
    """
    fingers = _CLOSED_FINGERS
    if movable_fingers:
        fingers = "".join(_finger(name, side, fingers_collide) for name, side in FINGERS.items())
    light, dark, orange = (f'rgba="{colour} 1"' for colour in (".88 .89 .92", ".14 .15 .18", ".96 .52 .12"))
    return f"""
    <geom name="pedestal" type="cylinder" size=".075 .1" pos="0 0 .1" {dark} {NEVER_COLLIDES}/>
    <body name="base" pos="0 0 .3" gravcomp="1">
      {_joint(0)}
      <geom name="base" type="capsule" size=".07" fromto="0 0 -.12 0 0 0" mass="2" {orange} {NEVER_COLLIDES}/>
      <body name="upper_arm" gravcomp="1">
        {_joint(1)}
        <geom name="upper_arm" type="capsule" size=".05" fromto="0 0 0 0 0 .4" mass="1.6" {light} {NEVER_COLLIDES}/>
        <body name="forearm" pos="0 0 .4" gravcomp="1">
          {_joint(2)}
          <geom name="elbow" type="sphere" size=".062" mass=".6" {orange} {NEVER_COLLIDES}/>
          <geom name="forearm" type="capsule" size=".042" fromto="0 0 0 .4 0 0" mass="1" {light} {ARM_COLLIDES}/>
          <body name="wrist" pos=".4 0 0" gravcomp="1">
            {_joint(3)}
            <geom name="wrist" type="sphere" size=".05" mass=".4" {orange} {NEVER_COLLIDES}/>
            <body name="hand" gravcomp="1">
              {_joint(4)}
              <geom name="hand" type="capsule" size=".034" fromto="0 0 -.03 0 0 -.08" mass=".3" {light} {ARM_COLLIDES}/>
              <body name="palm" pos="0 0 -.11" gravcomp="1">
                {_joint(5)}
                <geom name="palm" type="box" size=".024 .062 .018" mass=".2" {orange} {fingers_collide}/>
                <site name="grip" pos="0 0 -.075"/>
                {fingers}{in_palm}
              </body>
            </body>
          </body>
        </body>
      </body>
    </body>"""


def _joint(number: int) -> str:
    low, high = _LIMITS_DEG[number]
    return (
        f'<joint name="joint{number}" type="hinge" axis="{_AXES[number]}" range="{low} {high}" limited="true" '
        f'damping="{DAMPING_NMS_RAD[number]}" armature="{_ARMATURE_KGM2[number]}"/>'
    )


def _finger(name: str, side: int, collides: str) -> str:
    return (
        f'<body name="{name}_finger" pos="0 {side * OPENING_M} -.055" gravcomp="1">'
        f'<joint name="{name}_finger" type="slide" axis="0 {-side} 0" range="0 {OPENING_M}" limited="true" '
        'damping="12" armature=".1"/>'
        f'<geom name="{name}_finger" type="box" size=".016 .009 .042" pos="0 {side * 0.009} 0" mass=".05" '
        f'friction="1.2 .01 .0001" {_FINGER_COLOUR} {collides}/></body>'
    )


def finger_actuators() -> str:
    """Return the servos of movable fingers, each ordered how far to close (m). They squeeze the cube with 30 N."""
    return "".join(
        f'<position joint="{name}_finger" kp="1000" kv="40" ctrllimited="true" ctrlrange="0 {OPENING_M}" '
        f'forcelimited="true" forcerange="-60 60"/>'
        for name in FINGERS
    )
