"""Curves of episodes as pictures."""

from __future__ import annotations

import numpy as np

from rlplat.environments.resolve import resolve
from rlplat.evaluation.plots import HEIGHT, WIDTH, Recorder, draw_curves

TIMES = np.arange(5.0)
FIRST, SECOND = (31, 119, 180), (255, 127, 14)
"""The colours of a panel's lines."""


def places(picture, colour):
    """Rows and columns, left of the names of lines, that are of about a colour."""
    inside = picture[:, : int(0.85 * WIDTH)].astype(int)
    return np.nonzero((np.abs(inside - colour) < 40).all(axis=2))


def test_each_panel_stands_below_the_other():
    picture = draw_curves(TIMES, {"one, g": {"a": TIMES}, "two, C": {"a": TIMES, "b": -TIMES}}, "days")
    assert picture.shape == (2 * HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
    assert not len(places(picture[:HEIGHT], SECOND)[0]), "the second line is in the second panel alone"
    assert len(places(picture[HEIGHT:], SECOND)[0])


def test_a_larger_value_lies_higher_and_a_later_one_further_to_the_right():
    rows, columns = places(draw_curves(TIMES, {"x": {"a": TIMES}}, "days"), FIRST)
    assert np.corrcoef(rows, columns)[0, 1] < -0.99


def test_what_is_not_finite_leaves_a_gap():
    whole, broken = np.ones(5), np.array([1.0, 1.0, np.nan, np.inf, 1.0])
    drawn, gap = (places(draw_curves(TIMES, {"x": {"a": line}}, "days"), FIRST)[1] for line in (whole, broken))
    middle = (drawn.min() + drawn.max()) / 2
    assert (np.abs(drawn - middle) < 20).any()
    assert len(gap) and not (gap > middle).any(), "a single finite value makes no line"


def recorded(num_steps):
    task = resolve("envs.farm:rlplat/GreenhouseSpacing-v0").load(num_days=6, num_rows=3, num_columns=4)
    vector = task.make_vector(2)
    vector.reset([1, 2])
    recorder = Recorder(vector)
    for step in range(num_steps):
        recorder.add(step)
        vector.step(np.full((2, 6), 0.2))
    assert vector.step_length == (1.0, "days")
    return recorder


def test_a_vector_is_noted_step_by_step_and_each_episode_drawn_to_its_end():
    recorder = recorded(4)
    whole, half = (recorder.picture(0, until) for until in (4, 2))
    assert whole.shape == half.shape == (4 * HEIGHT, WIDTH, 3)
    assert (whole != half).any()


def test_without_matplotlib_there_is_a_word_and_no_picture(monkeypatch, caplog):
    recorder = recorded(2)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert recorder.picture(0, 2) is None
    assert "pip install 'rlplat[farm]'" in caplog.text


def test_an_environment_that_names_no_curves_has_none():
    vector = resolve("Pendulum-v1").load().make_vector(1)
    recorder = Recorder(vector)
    recorder.add(0)
    assert recorder.picture(0, 1) is None and vector.step_length == (1.0, "steps")
