"""The files in `cluster/`: what can be said of them without a cloud."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = ROOT / "cluster"


def test_the_cluster_launchers_file_fits_rays_schema():
    ray = importlib.util.find_spec("ray")
    if ray is None:
        pytest.skip("Ray is not installed")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(ray.origin).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(yaml.safe_load((CLUSTER / "ray.yaml").read_text()), schema)


def test_the_ray_job_names_the_configuration_and_the_ray_of_this_checkout():
    job = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    configs = re.findall(r"configs/\S+\.yaml", job["spec"]["entrypoint"])
    assert configs and all((ROOT / config).is_file() for config in configs)
    pinned = re.search(r"^ray==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned and job["spec"]["rayClusterSpec"]["rayVersion"] == pinned[1]
    assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}


def test_the_slurm_script_is_a_shell_script():
    subprocess.run(["bash", "-n", CLUSTER / "slurm.sh"], check=True)


@pytest.mark.parametrize("path", sorted(CLUSTER.iterdir()), ids=lambda path: path.name)
def test_every_deployment_file_says_what_of_it_was_tested(path: Path):
    assert re.search(r"[Nn]ot tested", path.read_text())


@pytest.mark.parametrize("path", sorted(CLUSTER.iterdir()), ids=lambda path: path.name)
def test_no_deployment_file_starts_ray_without_a_token(path: Path):
    assert re.search(r"RAY_AUTH_MODE=token|mode: token", path.read_text())
