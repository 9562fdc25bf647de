"""Curves of episodes as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from rlplat.environments.resolve import resolve
from rlplat.evaluation.plots import COLOURS, HEIGHT, LEFT, PAPER, RIGHT, TOP, WIDTH, Recorder, draw_curves

TIMES = np.arange(5.0)


def places(picture, colour):
    """Rows and columns, within the axes, that are of about a colour."""
    inside = picture[:, : WIDTH - RIGHT].astype(int)
    return np.nonzero((np.abs(inside - colour) < 40).all(axis=2))


def test_each_panel_stands_below_the_other():
    picture = draw_curves(TIMES, {"one, g": {"a": TIMES}, "two, C": {"a": TIMES, "b": -TIMES}}, "days")
    assert picture.shape == (2 * HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    assert not len(places(picture[:HEIGHT], COLOURS[1])[0]), "the second line is in the second panel alone"
    assert len(places(picture[HEIGHT:], COLOURS[1])[0])


def test_a_line_rises_from_the_lower_left_to_the_upper_right():
    rows, columns = places(draw_curves(TIMES, {"x": {"a": TIMES}}, "days"), COLOURS[0])
    assert columns.min() == pytest.approx(LEFT, abs=4) and columns.max() == pytest.approx(WIDTH - RIGHT, abs=4)
    left, right = rows[columns < LEFT + 9], rows[columns > WIDTH - RIGHT - 9]
    assert left.min() > HEIGHT * 0.75 and right.max() < HEIGHT * 0.45


def test_a_larger_value_lies_higher_where_axes_are_shared():
    picture = draw_curves(TIMES, {"x": {"low": np.full(5, 1.0), "high": np.full(5, 3.0)}}, "days")
    low, high = (places(picture, COLOURS[number])[0].mean() for number in (0, 1))
    assert TOP - 2 <= high < low


def test_what_is_not_finite_leaves_a_gap():
    whole, broken = np.ones(5), np.array([1.0, 1.0, np.nan, np.inf, 1.0])
    drawn, gap = (places(draw_curves(TIMES, {"x": {"a": line}}, "days"), COLOURS[0])[1] for line in (whole, broken))
    middle = (LEFT + WIDTH - RIGHT) / 2
    assert (np.abs(drawn - middle) < 20).any() and not (np.abs(gap - middle) < 20).any()
    assert (draw_curves(TIMES, {"x": {"a": np.full(5, np.nan)}}, "days") != PAPER).any(), "an empty panel has its axes"


def test_a_vector_is_noted_step_by_step_and_each_episode_drawn_to_its_end():
    vector = resolve("envs.farm:rlplat/GreenhouseSpacing-v0").load(num_days=6, num_rows=3, num_columns=4).make_vector(2)
    vector.reset([1, 2])
    recorder = Recorder(vector)
    for step in range(4):
        recorder.add(step)
        vector.step(np.full((2, 6), 0.2))
    pictures = [recorder.picture(0, until) for until in (4, 2)]
    assert vector.step_length == (1.0, "days")
    assert all(picture is not None and picture.shape == (4 * HEIGHT, WIDTH, 3) for picture in pictures)
    assert (pictures[0] != pictures[1]).any()


def test_an_environment_that_names_no_curves_has_none():
    vector = resolve("Pendulum-v1").load().make_vector(1)
    recorder = Recorder(vector)
    recorder.add(0)
    assert recorder.picture(0, 1) is None and vector.step_length == (1.0, "steps")
