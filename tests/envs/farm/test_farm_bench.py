"""The benchmark of LettuceClimate."""

from rlplat import bench, registry


def test_the_benchmark_is_known_by_name_and_counts_steps():
    registry.import_content()
    from envs.farm.bench import farm

    assert "farm" in bench._benchmarks
    steps, whole = farm(num_days=1)
    assert (steps.name, steps.unit) == ("farm.lettuce_climate.256.steps", "steps/s")
    assert steps.value > whole.value > 10_000
