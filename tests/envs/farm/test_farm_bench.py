"""The benchmark of the farms."""

import pytest

from envs.farm.bench import climate, seedlings, spacing
from rlplat import bench, registry


def test_the_benchmark_is_known_by_name_and_counts_steps():
    registry.import_content()
    assert "farm" in bench._benchmarks
    steps, whole = climate(num_days=1)
    assert (steps.name, steps.unit) == ("farm.lettuce_climate.256.steps", "steps/s")
    assert steps.value > whole.value > 10_000


def test_the_benchmark_of_benches_counts_days_of_full_ones():
    (days,) = spacing(num_days=1, fill_d=26)
    assert (days.name, days.unit) == ("farm.greenhouse_spacing.64.days", "days/s")
    assert days.value > 50 and days.fields["plants"] > 190


def test_the_benchmark_of_seedlings_counts_rendered_steps_and_what_physics_takes_of_them():
    pytest.importorskip("mujoco.batch", reason="mujoco is not installed: pip install 'rlplat[robots]'")
    steps, share = seedlings(num_steps=5, num_benches=2)
    assert (steps.name, steps.unit) == ("farm.seedling.pixels_1core", "steps/s")
    assert steps.value > 20 and 0.2 < share.value < 1
