"""Deployments: every entry point is a module path that loads the module of this checkout."""

import importlib
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_entry_point_loads(deployment: dict[str, str]) -> None:
    from prefect import Flow

    module, _, name = deployment["entrypoint"].rpartition(".")
    loaded = importlib.import_module(module)
    assert isinstance(getattr(loaded, name), Flow)
    assert Path(str(loaded.__file__)).is_relative_to(ROOT)


def test_every_flow_is_deployed() -> None:
    flows = {path.stem for path in (ROOT / "flows").glob("*.py")}
    flows -= {"__init__", "engine", "deploying"}
    assert {each["entrypoint"].split(".")[1] for each in DEPLOYMENTS} == flows
