"""A program that draws one picture with MuJoCo's renderer: `python gl_probe.py egl`. It stands alone on purpose.

A broken driver can hang or kill a process, so that another one must try it. Prints a line of JSON: what draws, or what
is wrong, and which of the system's libraries cannot be loaded.
"""

import ctypes
import json
import os
import sys

LIBRARIES = {
    "egl": {"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libEGL_mesa.so.0": "libegl-mesa0"},
    "osmesa": {"libOSMesa.so.8": "libosmesa6", "libGL.so.1": "libgl1"},
}
"""Debian's packages of the libraries that each platform loads."""
SCENE = """<mujoco><visual><global offwidth="32" offheight="32"/></visual><worldbody>
  <light pos="0 0 3"/><geom type="sphere" size=".5" rgba="1 0 0 1"/><camera pos="0 0 2"/></worldbody></mujoco>"""


def missing_packages(platform: str) -> list[str]:
    """Return the packages of libraries that cannot be loaded."""
    missing = []
    for library, package in LIBRARIES[platform].items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def draw() -> str:
    """Draw a red ball; return the name of what drew it. Raises whatever goes wrong."""
    import mujoco
    from OpenGL import GL

    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 32, 32) as renderer:
        renderer.update_scene(data, 0)
        red, green, blue = (int(channel) for channel in renderer.render()[16, 16])
        if not red > 2 * max(green, blue):
            raise RuntimeError(f"a red ball was drawn in the colour {red}, {green}, {blue}")
        return GL.glGetString(GL.GL_RENDERER).decode()


def main() -> None:
    platform = sys.argv[1]
    os.environ["MUJOCO_GL"] = os.environ["PYOPENGL_PLATFORM"] = platform
    found = {"drawn_by": "", "problem": "", "missing": []}
    try:
        found["drawn_by"] = draw()
    except Exception as error:  # any: what a driver raises is not known
        lines = str(error).strip().splitlines()
        found["problem"] = lines[-1] if lines else type(error).__name__
        found["missing"] = missing_packages(platform)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
