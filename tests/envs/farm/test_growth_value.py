"""What a seedling's handling is worth: by growth, and as the reward of SeedlingTransplant."""

from itertools import pairwise

import numpy as np
import pytest

from envs.farm.day.growth_reward import GrowthReward
from envs.farm.day.growth_value import DENSITY_PER_M2, LONGEST_D, GrowthValue, size_of, vigour_of, weight_of_g
from envs.farm.day.settings import FarmDaySettings
from envs.farm.growth.parameters import load_crop
from envs.farm.growth.plant import Climate, PlantModel, beer
from envs.farm.seedlings.trays import LIFTED, LOST, NUM_VALUES, PLANTED, PRESENT, QUALITY, SIZE, STRAIN

VALUE = GrowthValue(FarmDaySettings())
USUAL_G = np.array(0.12)
LEFT = {"planted": np.array(False), "taken": np.array(False)}
LOST_ = {"planted": np.array(False), "taken": np.array(True)}
STANDS = {"planted": np.array(True), "taken": np.array(True)}


def test_days_to_harvest_are_those_of_the_plant_model_in_small_steps():
    plant, room = PlantModel(load_crop().plant), FarmDaySettings().room
    state, hours = np.array([[0.3 * 0.12], [0.7 * 0.12]]), 0
    while plant.fresh_weight_g(state)[0] < 250:
        par = 0.217 * room.ppfd_umol_per_m2_s * (hours % 24 < room.light_h)
        air = Climate(room.temperature_c, par, room.co2_ppm)
        state = plant.step(state, air, 3600.0, beer(DENSITY_PER_M2, plant.parameters.light_extinction))
        hours += 1
    assert VALUE.days(USUAL_G, np.array(1.0)) == pytest.approx(hours / 24, abs=0.5)


def test_strain_and_small_size_take_days_and_never_bring_any():
    vigour = np.linspace(0, 1, 21)
    days = VALUE.days(np.full(21, 0.12), vigour)
    assert (np.diff(days) < 0).all() and 2 < days[0] - days[-1] < 10, "ten days of recovery cost less than ten days"
    assert (np.diff(VALUE.days(np.linspace(0.02, 0.3, 30), np.ones(30))) < 0).all()


def test_a_usual_seedling_is_worth_its_head_less_plug_and_floor():
    money, days = FarmDaySettings().money, float(VALUE.days(USUAL_G, np.array(1.0)))
    light_eur = 200e-6 * 16 * 3600 * 1e6 / 3 / 3.6e6 * 0.15
    floor_eur = (0.3 + light_eur) * days / DENSITY_PER_M2
    assert float(VALUE.worth_eur(USUAL_G, np.array(1.0))) == pytest.approx(1.0 - money.plug_eur - floor_eur, rel=1e-9)


def test_what_never_becomes_a_head_brings_nothing_and_has_cost_its_floor():
    dark = GrowthValue(FarmDaySettings.model_validate({"room": {"ppfd_umol_per_m2_s": 5.0}}))
    assert dark.days(USUAL_G, np.array(1.0)) == LONGEST_D
    assert dark.worth_eur(USUAL_G, np.array(1.0)) == pytest.approx(-0.08 - dark.floor_eur_per_m2_day * LONGEST_D / 30)


def test_seedlings_rank_from_whole_over_strained_and_left_to_poor_and_lost():
    ones = np.array(1.0)
    whole = VALUE.handling_eur(ones, ones, 0 * ones, **STANDS)
    strained = VALUE.handling_eur(ones, ones, 0.8 * ones, **STANDS)
    left = VALUE.handling_eur(ones, ones, 0 * ones, **LEFT)
    poor = VALUE.handling_eur(0.6 * ones, 0.2 * ones, 0 * ones, **STANDS)
    lost = VALUE.handling_eur(ones, ones, ones, **LOST_)
    assert whole > strained > left == 0 > max(poor, lost) and lost == -0.08


def test_size_and_weight_are_each_others_inverse_and_vigour_falls_with_harm():
    sizes = np.array([0.3, 0.8, 1.0, 1.3])
    assert size_of(weight_of_g(sizes, 0.12), 0.12) == pytest.approx(sizes, rel=1e-12)
    assert weight_of_g(np.array(1.0), 0.12) == 0.12
    assert vigour_of(np.array([1.0, 0.5, 0.25, 0.9]), np.array([0.0, 0.0, 0.0, 0.25])) == pytest.approx(
        [1.0, 1.0, 0.5, 0.75]
    )


def seedling(**changes):
    values = np.zeros((1, 2, NUM_VALUES))
    named = {"present": PRESENT, "size": SIZE, "quality": QUALITY, "lifted": LIFTED, "strain": STRAIN}
    named |= {"lost": LOST, "planted": PLANTED}
    for name, value in {"present": 1, "size": 1, "quality": 1, **changes}.items():
        values[0, 0, named[name]] = value
    return values


def test_the_terms_of_steps_add_up_to_what_was_made_of_the_plant():
    reward = GrowthReward(step_s=0.05)
    story = [seedling(), seedling(lifted=1), seedling(lifted=1, strain=0.3), seedling(lifted=1, strain=0.3, planted=2)]
    made = [reward.terms(before, now)["growth"][0] for before, now in pairwise(story)]
    assert made[0] == pytest.approx(-0.08) and made[1] == 0 and made[2] > 0.3
    whole = VALUE.handling_eur(np.array(1.0), np.array(1.0), np.array(0.3), **STANDS)
    assert sum(made) == pytest.approx(float(whole))
    lost = reward.terms(story[0], seedling(lifted=1, lost=2))["growth"][0]
    again = reward.terms(story[-1], seedling(lifted=1, strain=0.3, planted=2, lost=3))["growth"][0]
    assert lost == pytest.approx(-0.08) and sum(made) + again == pytest.approx(-0.08), "what is lost later is lost"


def test_time_of_the_robot_costs_what_the_farm_pays_for_it():
    reward = GrowthReward(step_s=0.05)
    assert reward.terms(seedling(), seedling())["robot"][0] == pytest.approx(-6.0 / 3600 * 0.05)
