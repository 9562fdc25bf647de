"""Light on a bench: Beer's law where leaves are many, all that a plant can take where it stands alone."""

import numpy as np
import pytest

from envs.farm.growth.parameters import load_crop
from envs.farm.growth.plant import beer
from envs.farm.spacing.canopy import Canopy
from envs.farm.spacing.lattice import Lattice

EXTINCTION = load_crop().plant.light_extinction
LATTICE = Lattice(10, 20)


def canopy(num_houses=1):
    return Canopy(LATTICE, num_houses, EXTINCTION, leaf_layers=3.0)


def slots(*, every):
    """All slots whose row and column are multiples of `every`."""
    return np.array([slot for slot in range(200) if slot // 20 % every == slot % 20 % every == 0])


def light_area_m2(where, leaf_area_m2):
    leaf_area_m2 = np.broadcast_to(np.asarray(leaf_area_m2, dtype=float), len(where)).copy()
    return canopy().light_area_m2(np.zeros(len(where), np.intp), np.asarray(where), leaf_area_m2)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("leaf_area_index", [5.0, 6.0, 8.0, 12.0, 20.0])
def test_a_full_lattice_tends_to_beers_law(every, leaf_area_index):
    where = slots(every=every)
    density_per_m2 = len(where) / LATTICE.area_m2
    leaves_m2 = np.full(len(where), leaf_area_index / density_per_m2)
    expected = beer(density_per_m2, EXTINCTION)(leaves_m2)
    assert light_area_m2(where, leaves_m2) == pytest.approx(expected, rel=0.03)


def test_the_distance_to_beers_law_shrinks_with_overlap():
    errors = []
    for leaf_area_index in (4.0, 12.0, 36.0):
        leaves_m2 = np.full(200, leaf_area_index / 100)
        errors.append(np.abs(light_area_m2(range(200), leaves_m2) / beer(100.0, EXTINCTION)(leaves_m2) - 1).max())
    assert errors[0] > errors[1] and errors[2] < 2e-3


def test_a_plant_alone_gains_nothing_from_more_distance():
    """Its disc has three layers: 0.2 m2 of leaves cover a disc of 0.146 m radius."""
    alone = 0.2 / 3 * -np.expm1(-EXTINCTION * 3)
    near, far, farther = (light_area_m2([0, slot], 0.2) for slot in (1, 3, 10))
    assert light_area_m2([57], 0.2) == pytest.approx(alone, rel=1e-12)
    assert farther == pytest.approx(alone, rel=1e-12) and (far == farther).all()
    assert (near < 0.95 * far).all()


@pytest.mark.parametrize("leaf_area_m2", [1e-4, 3e-3, 0.02, 0.3])
def test_a_plant_alone_takes_light_in_proportion_to_its_leaves_at_every_size(leaf_area_m2):
    assert light_area_m2([57], leaf_area_m2)[0] / leaf_area_m2 == pytest.approx(-np.expm1(-EXTINCTION * 3) / 3)


def test_plants_take_no_more_light_than_falls_on_the_bench():
    generator = np.random.default_rng(0)
    for leaves_m2 in (0.05, 0.2, 0.5):
        where = generator.choice(200, 60, replace=False)
        total = light_area_m2(where, leaves_m2 * generator.uniform(0.2, 1.8, 60)).sum()
        assert total <= 1.005 * LATTICE.area_m2


def test_a_plant_larger_than_the_bench_takes_no_more_light_than_falls_on_it():
    taken = [light_area_m2([0], leaf_area_m2)[0] for leaf_area_m2 in (3.0, 6.0, 60.0, 6e6)]
    assert taken[1:] == pytest.approx(3 * [2 * taken[0]]) and taken[3] <= LATTICE.area_m2
    shared = light_area_m2([0, 7], np.array([60.0, 60.0]))
    assert shared.sum() <= LATTICE.area_m2 * (1 + 1e-9) and shared[0] == pytest.approx(shared[1])


def test_opposite_edges_meet():
    corner, middle = light_area_m2([0, 1, 20], 0.3), light_area_m2([105, 106, 125], 0.3)
    assert corner == pytest.approx(middle, rel=1e-12)
    across = light_area_m2([0, 19], 0.3)
    assert across == pytest.approx(light_area_m2([0, 1], 0.3), rel=0.01)


def test_a_larger_plant_takes_more_and_a_dwarf_under_it_is_shaded():
    giant, dwarf = light_area_m2([0, 1], [0.5, 0.01])
    assert giant > 10 * dwarf and dwarf < 0.6 * light_area_m2([1], 0.01)[0]


def test_houses_do_not_shade_each_other():
    houses, where, leaves_m2 = np.array([0, 0, 1]), np.array([3, 4, 4]), np.full(3, 0.3)
    both = canopy(num_houses=2).light_area_m2(houses, where, leaves_m2)
    assert both[:2] == pytest.approx(light_area_m2([3, 4], 0.3)) and both[2] == pytest.approx(
        light_area_m2([4], 0.3)[0]
    )
    assert both[2] > both[1]


def test_many_houses_are_each_as_if_it_were_alone():
    generator = np.random.default_rng(0)
    houses = np.sort(generator.choice([0, 2, 3, 4, 9], 60))
    where, leaves_m2 = generator.permutation(200)[:60], generator.uniform(0.01, 0.4, 60)
    together = canopy(num_houses=10).light_area_m2(houses, where, leaves_m2)
    for house in range(10):
        assert (together[houses == house] == light_area_m2(where[houses == house], leaves_m2[houses == house])).all()
    assert canopy(num_houses=3).light_area_m2(houses[:0], where[:0], leaves_m2[:0]).size == 0
