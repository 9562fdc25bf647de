"""The ray-caster against geometry worked out by hand."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest

from rlplat.errors import RlplatError
from rlplat.render.cast import LIGHT_DIRECTIONAL, LIGHT_POSITIONAL, SHAPES, Caster, Scene

# The camera stands at x = 0, y = -4, z = 0 and looks along y; x is to the right and z is up. All numbers are whole, so
# that no library has rounded them.
LOOKING_ALONG_Y = [1, 0, 0, 0, 0, -1, 0, 1, 0]
UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1]
AXIS_ALONG_X = [0, 0, 1, 0, 1, 0, -1, 0, 0]  # the geom's z axis points along x
TOWARDS_CAMERA = [1, 0, 0, 0, 0, -1, 0, 1, 0]  # the geom's z axis points to -y
FAR = 50.0
CENTRE = (32, 32)


def scene(*, pos, size, mat=UPRIGHT, rgba=(1, 1, 1, 1), surface=(0, 0, 0), lights=0, num_simulations=1) -> Scene:
    """G geoms at `pos` [G, 3], seen in the light of the camera alone."""
    pos = np.array(pos, float).reshape(1, -1, 3)
    num = pos.shape[1]

    def every(values, size, dtype=float):
        return np.ascontiguousarray(np.broadcast_to(np.array(values, dtype), (1, num, size)))

    return Scene(
        geom_pos=np.repeat(pos, num_simulations, axis=0),
        geom_mat=every(mat, 9),
        geom_size=every(size, 3),
        geom_rgba=every(rgba, 4, np.float32),
        geom_surface=every(surface, 3, np.float32),
        geom_checker=np.zeros((1, num, 10), np.float32),
        camera_pos=np.array([[[0.0, -4.0, 0.0]]]),
        camera_mat=np.array([[LOOKING_ALONG_Y]], float),
        camera_fovy=np.full((1, 1, 1), 45.0),
        light_kind=np.full((1, lights, 1), LIGHT_DIRECTIONAL, np.int32),
        light_pos=np.zeros((1, lights, 3)),
        light_dir=np.tile([0.0, 0.0, -1.0], (1, lights, 1)),
        light_colour=np.tile(np.array([0, 0, 0, 1, 1, 1, 0, 0, 0], np.float32), (1, lights, 1)),
        light_attenuation=np.tile(np.array([1, 0, 0], np.float32), (1, lights, 1)),
        light_beam=np.tile(np.array([180, 0], np.float32), (1, lights, 1)),
        light_shadow=np.ones((1, lights, 1), np.uint8),
        headlight=np.array([0, 0, 0, 1, 1, 1, 0, 0, 0], np.float32).reshape(1, 1, 9),
        background=np.zeros((1, 1, 3), np.float32),
        near=0.01,
        far=FAR,
    )


def all_shapes(num_simulations: int = 1) -> Scene:
    """One geom of every shape before a chess board, under two lights."""
    pos = [(0, 0, 0), (0, 0, -1), (-1, 0, 0), (-0.25, 1, 0.5), (1, 0, 0.5), (0.5, -1, 0), (0.375, 0, -0.5)]
    made = scene(pos=pos, size=(0.25, 0.375, 0.5), surface=(0.125, 0.5, 20), lights=2, num_simulations=num_simulations)
    made.geom_size[0, 1] = 0
    made.geom_mat[0, 4] = AXIS_ALONG_X
    made.geom_checker[0, 1] = [2, 2, 0, 0, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75]
    made.geom_rgba[0, :, :3] = [[1, 1, 1], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1]]
    made.light_kind[0, 1] = LIGHT_POSITIONAL
    made.light_pos[0, 1] = [1, -2, 3]
    made.light_beam[0, 1] = [60, 10]
    made.light_colour[0, :, 6:] = 0.5
    return made


def depth_of(shape: str, **kwargs) -> np.ndarray:
    caster = Caster([shape], width=64, height=64)
    return caster.render_depth(scene(pos=(0, 0, 0), **kwargs), 1)[0][0]


def ray(row: float, column: float) -> tuple[float, float]:
    """x and z of the direction of a pixel's ray per metre of depth, in pictures of 64x64."""
    pixel = 2 * math.tan(math.radians(22.5)) / 64
    return (column + 0.5 - 32) * pixel, (31.5 - row) * pixel


@pytest.mark.parametrize(
    ("shape", "size", "mat", "depth"),
    [
        ("sphere", (0.5, 0, 0), UPRIGHT, 3.5),
        ("ellipsoid", (0.5, 0.25, 0.5), UPRIGHT, 3.75),
        ("box", (0.5, 0.25, 0.5), UPRIGHT, 3.75),
        ("capsule", (0.5, 0.25, 0), UPRIGHT, 3.5),
        ("capsule", (0.5, 0.25, 0), TOWARDS_CAMERA, 3.25),
        ("capsule", (0.5, 1, 0), AXIS_ALONG_X, 3.5),
        ("cylinder", (0.5, 0.25, 0), UPRIGHT, 3.5),
        ("cylinder", (0.5, 0.25, 0), TOWARDS_CAMERA, 3.75),
        ("plane", (0, 0, 1), TOWARDS_CAMERA, 4.0),
    ],
)
def test_the_depth_at_the_centre_is_the_distance_to_the_surface(shape, size, mat, depth):
    assert depth_of(shape, size=size, mat=mat)[CENTRE] == pytest.approx(depth, abs=2e-3)


def test_the_depth_of_a_sphere_is_that_of_the_quadratic_formula_everywhere():
    depth = depth_of("sphere", size=(1.0, 0, 0))
    hits = 0
    for row, column in np.ndindex(64, 64):
        x, z = ray(row, column)
        # |(t x, t - 4, t z)| = 1
        a, b, c = x * x + 1 + z * z, -4.0, 15.0
        root = b * b - a * c
        if abs(root) < 1e-3:
            continue
        assert depth[row, column] == pytest.approx((-b - math.sqrt(root)) / a if root > 0 else FAR, rel=1e-5)
        hits += root > 0
    assert 500 < hits < 2000


def test_a_plane_is_seen_from_its_front_only_and_ends_at_its_size():
    finite = depth_of("plane", size=(0.5, 0.25, 1), mat=TOWARDS_CAMERA)
    for row, column in np.ndindex(64, 64):
        x, z = (4 * component for component in ray(row, column))
        assert finite[row, column] == pytest.approx(4.0 if abs(x) <= 0.5 and abs(z) <= 0.25 else FAR)
    away = [1, 0, 0, 0, 0, 1, 0, -1, 0]
    assert np.all(depth_of("plane", size=(0, 0, 1), mat=away) == FAR)


def test_the_nearer_geom_hides_the_further_one_whatever_their_order():
    for pos in ([(0, 0, 0), (0, -1, 0)], [(0, -1, 0), (0, 0, 0)]):
        made = scene(pos=pos, size=(0.25, 0.25, 0.25))
        _, segmentation = Caster(["sphere", "box"], width=64, height=64).render_depth(made, 1)
        assert segmentation[0][CENTRE] == pos.index((0, -1, 0))
    assert segmentation[0, 0, 0] == -1


def test_a_geom_is_cut_at_neither_end_of_the_picture_and_nothing_behind_the_camera_is_seen():
    made = scene(pos=[(0, -8, 0), (0, -4, 0), (0, 0, 0)], size=(0.5, 0.5, 0.5))
    _, segmentation = Caster(["sphere", "box", "sphere"], width=64, height=64).render_depth(made, 1)
    assert set(np.unique(segmentation)) == {-1, 2}, "the box is around the camera: its inside is not drawn"


@pytest.mark.parametrize("width", [1, 7, 13, 16, 33])
def test_rays_do_not_depend_on_the_width_of_the_picture(width):
    made = all_shapes()
    whole, _ = Caster(SHAPES, width=65 if width % 2 else 64, height=40).render_depth(made, 1)
    part, _ = Caster(SHAPES, width=width, height=40).render_depth(made, 1)
    begin = (whole.shape[2] - width) // 2
    np.testing.assert_allclose(part, whole[:, :, begin : begin + width], rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"shadows": True}, {"supersampling": True}])
def test_the_bytes_are_the_same_at_any_number_of_threads_and_in_any_batch(options):
    made = all_shapes(num_simulations=9)
    made.geom_pos += np.linspace(-0.3, 0.3, 9)[:, None, None]
    one = Caster(SHAPES, width=40, height=24, **options).render(made, 9)
    assert np.array_equal(Caster(SHAPES, width=40, height=24, num_threads=3, **options).render(made, 9), one)
    alone = replace(made, geom_pos=made.geom_pos[4:5])
    assert np.array_equal(Caster(SHAPES, width=40, height=24, **options).render(alone, 1)[0], one[4])
    assert not np.array_equal(one[4], one[5])


def test_every_simulation_has_its_own_colours_cameras_and_lights():
    made = scene(pos=(0, 0, 0), size=(0.5, 0.5, 0.5), num_simulations=3, lights=1)
    made.geom_rgba = np.array([[[1, 0, 0, 1]], [[0, 1, 0, 1]], [[0, 0, 1, 1]]], np.float32)
    made.camera_pos = np.array([[[0.0, -4, 0]], [[0, -6, 0]], [[0, -8, 0]]])
    made.light_colour = np.zeros((3, 1, 9), np.float32)
    made.light_colour[2, 0, :3] = 1
    made.headlight = np.array([0, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0], np.float32).reshape(1, 1, 9)
    caster = Caster(["box"], width=64, height=64)
    assert [tuple(colour[CENTRE]) for colour in caster.render(made, 3)] == [(128, 0, 0), (0, 128, 0), (0, 0, 255)]
    depth, _ = caster.render_depth(made, 3)
    assert [float(image[CENTRE]) for image in depth] == [3.5, 5.5, 7.5]


def test_a_matt_surface_shines_as_the_cosine_of_the_light():
    made = scene(pos=(0, 0, 0), size=(1, 1, 1), lights=1)
    made.headlight[:] = 0
    made.light_dir[:] = [[0, 1, 0]]
    picture = Caster(["sphere"], width=64, height=64).render(made, 1)[0]
    depth = depth_of("sphere", size=(1, 1, 1))
    for row, column in [(32, 32), (20, 40), (40, 22)]:
        cosine = 4 - depth[row, column]  # the normal's part along -y
        assert abs(int(picture[row, column, 0]) - 255 * cosine) <= 1


def test_a_highlight_is_the_power_of_the_cosine_of_the_half_way_direction():
    made = scene(pos=(0, 0, 0), size=(0, 0, 1), mat=TOWARDS_CAMERA, rgba=(0, 0, 0, 1), surface=(0, 1, 30), lights=1)
    made.headlight[:] = 0
    light = np.array([0.6, -0.8, 0])
    made.light_dir[:] = -light
    made.light_colour[:] = [0, 0, 0, 0, 0, 0, 1, 1, 1]
    picture = Caster(["plane"], width=64, height=64).render(made, 1)[0]
    for row, column in [(32, 32), (20, 5), (40, 0)]:
        x, z = ray(row, column)
        to_eye = -np.array([x, 1, z]) / math.sqrt(x * x + 1 + z * z)
        half = (to_eye + light) / np.linalg.norm(to_eye + light)
        assert abs(int(picture[row, column, 0]) - 255 * (-half[1]) ** 30) <= 1


def test_shadows_lie_where_a_ray_to_the_light_is_blocked():
    # A ball of radius 1/2 floats 1 above a floor that the camera looks down on; the lamp shines straight down.
    made = scene(pos=[(0, 0, -2), (0, 0, -1)], size=(0.5, 0, 0), lights=1)
    made.geom_size[0, 0] = 0
    made.headlight[:] = 0
    made.camera_pos[:] = [[0, -1, 1]]
    made.camera_mat[:] = [[1, 0, 0, 0, 0.8, -0.6, 0, 0.6, 0.8]]
    made.camera_fovy[:] = 100
    seen = {}
    for shadows in (False, True):
        caster = Caster(["plane", "sphere"], width=64, height=64, shadows=shadows)
        picture, (depth, segmentation) = caster.render(made, 1)[0], caster.render_depth(made, 1)
        seen[shadows] = picture[..., 0][segmentation[0] == 0]
    assert np.all(seen[False] == 255)
    pixel = 2 * math.tan(math.radians(50)) / 64
    rows, columns = np.nonzero(segmentation[0] == 0)
    t = depth[0][rows, columns]
    right, up = (columns + 0.5 - 32) * pixel, (31.5 - rows) * pixel
    x, y = t * right, -1 + t * (0.8 * up + 0.6)
    distance = np.hypot(x, y)
    assert np.all(seen[True][distance < 0.49] == 0)
    assert np.all(seen[True][distance > 0.51] == 255)
    assert np.any(distance < 0.49)


def test_a_supersampled_pixel_is_the_mean_of_the_four_of_a_picture_of_twice_the_size():
    made = all_shapes()
    fine = Caster(SHAPES, width=48, height=32).render(made, 1)[0].astype(int)
    mean = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2] + 2) // 4
    assert np.array_equal(Caster(SHAPES, width=24, height=16, supersampling=True).render(made, 1)[0], mean)
    plain, super_ = (
        Caster(SHAPES, width=24, height=16, supersampling=on).render_depth(made, 1) for on in (False, True)
    )
    assert np.array_equal(plain[0], super_[0])
    assert np.array_equal(plain[1], super_[1])


def test_a_chess_board_has_its_cells_near_and_their_mean_far_away():
    made = scene(pos=(0, 0, -0.5), size=(0, 0, 1))
    made.headlight[:] = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    made.geom_checker[:] = np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 0], np.float32)
    made.far = 1000.0
    picture = Caster(["plane"], width=64, height=64).render(made, 1)[0, ..., 0]
    x, z = ray(63, 40)
    t = -0.5 / z
    even = (math.floor(x * t) + math.floor(-4 + t)) % 2 == 0
    assert picture[63, 40] == (255 if even else 0)
    assert np.all(abs(picture[32].astype(int) - 127) < 40), "a cell is much smaller than a pixel at the horizon"
    assert np.all(picture[:32] == 0)


def test_a_geom_whose_pose_is_no_number_is_not_drawn_and_harms_nobody():
    made = all_shapes(num_simulations=3)
    good = Caster(SHAPES, width=32, height=32).render_depth(made, 3)[1]
    made.geom_pos[1, 2] = np.nan
    made.geom_pos[1, 6] = 1e300
    bad = Caster(SHAPES, width=32, height=32).render_depth(made, 3)[1]
    assert np.array_equal(bad[0], good[0])
    assert np.array_equal(bad[2], good[2])
    assert set(np.unique(bad[1])) == set(np.unique(good[1])) - {2, 6}
    made.camera_pos = np.full((1, 1, 3), np.nan)
    assert np.all(Caster(SHAPES, width=32, height=32).render_depth(made, 3)[1] == -1)


def test_hidden_and_transparent_geoms_are_not_drawn():
    made = scene(pos=[(0, 0, 0), (0, 0, 0)], size=(0.5, 0.5, 0.5))
    made.geom_rgba[0, 1, 3] = 0
    assert np.all(Caster(["hidden", "box"], width=16, height=16).render_depth(made, 1)[1] == -1)


def test_the_bytes_are_those_of_every_other_machine():
    made = all_shapes()
    picture = Caster(SHAPES, width=64, height=48, shadows=True, supersampling=True).render(made, 1)
    depth, segmentation = Caster(SHAPES, width=64, height=48).render_depth(made, 1)
    assert [hashlib.sha256(array.tobytes()).hexdigest()[:16] for array in (picture, depth, segmentation)] == GOLDEN


GOLDEN = ["14a20f18ede0fd14", "d2b35050ee1c01f8", "a337f74aa9a53c7b"]


def test_wrong_input_is_named():
    with pytest.raises(RlplatError, match="no shape is named 'bax'; did you mean box"):
        Caster(["bax"], width=8, height=8)
    made = scene(pos=(0, 0, 0), size=(1, 1, 1))
    caster = Caster(["box"], width=8, height=8)
    with pytest.raises(ValueError, match="geom_rgba: axis 1 has length 2, expected 1"):
        caster.render(replace(made, geom_rgba=np.ones((1, 2, 4), np.float32)), 1)
    with pytest.raises(ValueError, match="geom_pos: axis 0 has length 3, expected 2"):
        caster.render(replace(made, geom_pos=np.ones((3, 1, 3))), 2)
    with pytest.raises(IndexError, match="camera"):
        caster.render(made, 1, camera=1)
