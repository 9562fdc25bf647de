"""Recorded outcomes: from which ones is drawn, how they are kept, and what is said of files that do not serve."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from envs.farm.day.transplant_table import (
    COLUMNS,
    LEAST,
    Recorded,
    Recording,
    TableExecutor,
    load_outcomes,
    num_neighbours,
    save_outcomes,
)  # fmt: skip
from envs.farm.day.transplants import Transplanted, Tray
from envs.farm.seedlings.seedling import Seedling
from rlplat.errors import ConfigError

STANDS = Transplanted(planted=True, lost=None, strain=0.1, offset_mm=1.5, seconds=4.0)
DROPPED = Transplanted(planted=False, lost="dropped", strain=0.3, offset_mm=math.nan, seconds=4.0)
LEFT = Transplanted(planted=False, lost=None, strain=0.0, offset_mm=math.nan, seconds=0.0)


def recording(*rows, **parameters):
    return Recording("by hand", {"level": 4, **parameters}, tuple(rows))


def many(outcome, number, *, size=1.0, quality=1.0, row=2, neighbours=0):
    return [Recorded(size, quality, row, 3, neighbours, outcome)] * number


def one_tray(seedling, seed=0):
    return Tray((seedling,), seed)


def test_poor_and_good_seedlings_come_out_as_their_like_were_recorded():
    table = TableExecutor(recording(*many(STANDS, 30), *many(LEFT, 30, quality=0.1, size=0.6)))
    for seed in range(20):
        good, poor = table.transplant([Tray((Seedling(0, 0), Seedling(5, 7, size=0.6, quality=0.1)), seed)])[0]
        assert good == STANDS and poor == LEFT


def test_shares_of_a_bin_are_met_and_a_seed_repeats_its_tray():
    table = TableExecutor(recording(*many(STANDS, 60), *many(DROPPED, 20)))
    trays = [one_tray(Seedling(2, 3), seed) for seed in range(2000)]
    found = table.transplant(trays)
    dropped = sum(outcome == DROPPED for (outcome,) in found)
    assert dropped / 2000 == pytest.approx(0.25, abs=0.03)
    assert table.transplant(trays) == found and table.transplant(trays[7:8]) == found[7:8]


def test_size_crowding_and_row_count_where_enough_was_recorded_of_them():
    table = TableExecutor(
        recording(
            *many(STANDS, LEAST, size=1.0),
            *many(DROPPED, LEAST, size=1.1),
            *many(LEFT, LEAST, size=1.0, neighbours=3),
            *many(replace(STANDS, seconds=9.0), LEAST, size=1.0, row=5),
        )
    )
    near, far = Seedling(2, 3), Seedling(5, 3)
    assert set(table.alike(near, 0)) == {STANDS}
    assert set(table.alike(replace(near, size=1.12), 0)) == {DROPPED}
    assert set(table.alike(near, 2)) == {LEFT}, "two neighbours and more are alike"
    assert {outcome.seconds for outcome in table.alike(far, 0)} == {9.0}


def test_where_too_few_are_alike_the_last_feature_does_not_count():
    table = TableExecutor(recording(*many(STANDS, LEAST, size=1.0), *many(DROPPED, LEAST - 1, size=1.1)))
    assert Counter(table.alike(Seedling(2, 3, size=1.1), 0)) == {STANDS: LEAST, DROPPED: LEAST - 1}
    few = TableExecutor(recording(*many(STANDS, 2), *many(LEFT, 3, quality=0.0)))
    assert set(few.alike(Seedling(2, 3), 8)) == {STANDS}, "good and poor are never mixed while there are both"


def test_neighbours_are_those_in_the_eight_cells_around():
    tray = [Seedling(2, 2), Seedling(1, 1), Seedling(2, 3), Seedling(4, 2), Seedling(3, 3)]
    assert [num_neighbours(each, tray) for each in tray] == [3, 1, 2, 1, 3]


def test_a_file_holds_what_was_recorded(tmp_path):
    made = recording(*many(STANDS, 2, size=0.9137), *many(DROPPED, 1, row=5, neighbours=4), num_plugs=3)
    save_outcomes(tmp_path / "some.csv", made)
    found = load_outcomes(str(tmp_path / "some.csv"))
    assert (found.skill, found.parameters) == (made.skill, made.parameters)
    assert found.rows[:2] == made.rows[:2]
    dropped = found.rows[2]
    assert math.isnan(dropped.outcome.offset_mm) and dropped.outcome.lost == "dropped" and not dropped.outcome.planted
    assert (dropped.row, dropped.num_neighbours, dropped.outcome.strain) == (5, 4, 0.3)
    assert TableExecutor(found).settings.num_good == 3


def test_shipped_outcomes_leave_poor_seedlings_and_plant_good_ones():
    table = TableExecutor(load_outcomes("vision"))
    rng = np.random.default_rng(0)
    sizes = rng.uniform(0.85, 1.15, 50)
    trays = [Tray((Seedling(1, 2, size=size), Seedling(4, 6, 0.6, 0.1)), seed) for seed, size in enumerate(sizes)]
    found = table.transplant(trays)
    assert 30 < sum(good.planted for good, _ in found) < 50 and not any(poor.planted for _, poor in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.csv:1: this is no file of outcomes"),
        ("size,quality\n", "bad.csv:1: this is no file of outcomes.*record_transplants"),
        ('# {"task": "Reach", "skill": "expert", "parameters": {}}\n', "these are outcomes of Reach; they must be of"),
        ('# {"task": "SeedlingTransplant", "skill": "a", "parameters": {}}\nsize\n', r"bad.csv:2: the columns are \["),
        (
            '# {"task": "SeedlingTransplant", "skill": "a", "parameters": {}}\n' + ",".join(COLUMNS) + "\n1,2,3\n",
            "bad.csv:3: .*every column but lost is a number",
        ),
        (
            '# {"task": "SeedlingTransplant", "skill": "a", "parameters": {}}\n'
            + ",".join(COLUMNS)
            + "\n1,1,2,3,0,1,,nan,1.5,4\n",
            "bad.csv:3: strain is nan; it must be from 0 to 1",
        ),
    ],
)
def test_files_that_do_not_serve_are_named_with_the_line(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_outcomes(str(tmp_path / "bad.csv"))


def test_unknown_names_missing_files_and_empty_recordings_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"'visoin' is none of the outcomes; did you mean vision\?"):
        load_outcomes("visoin")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_outcomes(str(tmp_path / "none.csv"))
    with pytest.raises(ConfigError, match="recorded of by hand are none"):
        TableExecutor(recording())
