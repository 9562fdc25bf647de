"""Crops and greenhouses as files: the shipped ones are documented, wrong ones are explained."""

import re
from pathlib import Path

import pytest

from envs.farm.growth.parameters import FOLDER, load_crop, load_greenhouse
from envs.farm.spacing.greenhouse_spacing import GreenhouseSpacing
from rlplat.errors import ConfigError, EnvError

LETTUCE = (FOLDER / "crops" / "lettuce.yaml").read_text()
DOCS = Path(__file__).resolve().parents[3] / "docs" / "farming.md"


def changed(tmp_path, pattern, replacement):
    path = tmp_path / "mine.yaml"
    text, count = re.subn(pattern, replacement, LETTUCE, count=1)
    assert count == 1
    path.write_text(text)
    return path


def test_a_crop_of_ones_own_is_a_copy_with_other_numbers(tmp_path):
    path = changed(tmp_path, "root_fraction: 0.07", "root_fraction: 0.15")
    assert load_crop(str(path)).plant.root_fraction == 0.15


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"  growth_q10.*\n", "", r"mine.yaml: plant.growth_q10 is missing; it must be a number"),
        (r"growth_yield: 0.8", "growth_yield: 1.4", r"plant.growth_yield is 1.4; it must be <= 1"),
        (r"light_extinction: 0.9", "light_extinction: .nan", r"plant.light_extinction is nan; it must be"),
        (r"light_extinction", "light_extinktion", r"unknown key plant.light_extinktion; did you mean"),
        (
            r"compensation_ppm: 40.0",
            "compensation_ppm: many",
            r"compensation_ppm is the text 'many'; it must be a number",
        ),
        (
            r"leaf_area_m2_per_g: 0.075",
            "leaf_area_m2_per_g: 75.0",
            r"plant.leaf_area_m2_per_g is 75.0?; it must be <= 10",
        ),
        (r"light_use_g_per_j: 17.0e-6", "light_use_g_per_j: 17.0", r"plant.light_use_g_per_j is 17.0?; it must be <= "),
        (r"respiration_q10: 2.0", "respiration_q10: .inf", r"plant.respiration_q10 is inf; it must be"),
        (
            r"dry_weight_per_co2: 0.544",
            "dry_weight_per_co2: 544.0",
            r"canopy.dry_weight_per_co2 is 544.0?; it must be <= 1",
        ),
        (r"-1.32e-5", "1.32e-5", r"^$"),
        (r"5.94e-4", "-5.94e-4", r"positive at no temperature from 0 to 45 C"),
        (
            r"conductance_m_per_s: 6.29e-4",
            "conductance_m_per_s: 6.29e-2",
            r"canopy: the CO2 conductance is positive at no",
        ),
    ],
)
def test_a_missing_or_impossible_parameter_gives_one_clear_message(tmp_path, pattern, replacement, message):
    path = changed(tmp_path, pattern, replacement)
    if message == "^$":
        load_crop(str(path))  # grows ever faster with heat: odd, but possible
        return
    with pytest.raises(ConfigError, match=message) as error:
        load_crop(str(path))
    assert str(path) in str(error.value)


def test_unknown_names_and_files_are_explained(tmp_path):
    with pytest.raises(
        ConfigError, match=r"'letuce' is none of the crops; did you mean lettuce\?; or give a .yaml file"
    ):
        load_crop("letuce")
    with pytest.raises(ConfigError, match="there is no such file"):
        load_crop(str(tmp_path / "absent.yaml"))


@pytest.mark.parametrize("text", ["", "- 1\n", "name: lettuce\n", "name: lettuce\nname: rocket\n"])
def test_a_file_that_is_no_crop_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine.yaml: .*(missing|mapping|twice)"):
        load_crop(str(path))


def test_a_crop_too_swift_for_steps_of_a_day_is_refused_before_anything_grows(tmp_path):
    path = changed(tmp_path, "growth_rate_per_s: 5.0e-6", "growth_rate_per_s: 5.0e-4")
    with pytest.raises(EnvError, match=r"the step is 57600 s; it must be > 0 and at most \d+ s"):
        GreenhouseSpacing(crop=str(path))


@pytest.mark.parametrize("name", ["max_co2_kg_per_m2_s", "max_heating_w_per_m2", "heat_capacity_j_per_m2_c"])
def test_a_greenhouse_in_other_units_is_refused(tmp_path, name):
    path = tmp_path / "mine.yaml"
    text = (FOLDER / "greenhouses" / "van_henten.yaml").read_text()
    path.write_text(re.sub(rf"{name}: \S+", f"{name}: 1.0e+9", text))
    with pytest.raises(ConfigError, match=rf"{name} is 1000000000.0?; it must be <="):
        load_greenhouse(str(path))


def test_a_greenhouse_whose_leaves_are_wetter_than_saturation_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    text = (FOLDER / "greenhouses" / "van_henten.yaml").read_text()
    path.write_text(text.replace("saturation_vapour_j_per_m3: 10998.0", "saturation_vapour_j_per_m3: 9000.0"))
    with pytest.raises(ConfigError, match="must not exceed saturation_vapour_j_per_m3"):
        load_greenhouse(str(path))


def test_the_documentation_states_every_parameter_with_the_shipped_value():
    parameters = DOCS.read_text().partition("## Integration")[0]
    stated = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([-0-9.e]+) \|", parameters, re.MULTILINE))
    crop, greenhouse = load_crop(), load_greenhouse()
    shipped = crop.plant.model_dump() | crop.canopy.model_dump() | greenhouse.model_dump()
    del shipped["name"]
    assert {name: float(value) for name, value in stated.items()} == shipped
