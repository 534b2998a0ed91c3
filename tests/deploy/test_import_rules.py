"""Each import rule is broken once in a small copy of the house, and is seen to break."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "portal",
    "flows",
    "tasks",
    "tasks/reader",
    "appraisal",
    "storage",
    "storage/catalogue",
)
ALLOWED = {
    "storage/s3.py": "import boto3",
    "storage/settings.py": "import pydantic_settings",
    "storage/custody.py": "",
    "storage/objects.py": "",
    "storage/catalogue/tables.py": "import sqlalchemy.orm, alembic",
    "tasks/steps.py": "import prefect, storage.objects, tasks.reader",
    "tasks/reader/pdf.py": "import pypdfium2, PIL.Image",
    "appraisal/agency.py": "import storage",
    "flows/ingest.py": "import prefect, tasks.steps",
    "portal/cli.py": "import typer, flows.ingest, appraisal",
}


@pytest.fixture
def house(tmp_path):
    for room in ROOMS:
        (tmp_path / room).mkdir(exist_ok=True)
        (tmp_path / room / "__init__.py").touch()
    for path, text in ALLOWED.items():
        (tmp_path / path).write_text(text + "\n")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint(house):
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_the_house_allows_is_kept(house):
    answer = lint(house)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("storage/bad.py", "import appraisal.agency"),
        ("appraisal/bad.py", "from tasks import steps"),
        ("tasks/bad.py", "import flows"),
        ("flows/bad.py", "import portal.cli"),
        ("storage/bad.py", "from boto3.session import Session"),
        ("tasks/bad.py", "import sqlalchemy"),
        ("storage/bad.py", "import sqlalchemy"),
        ("appraisal/bad.py", "import prefect"),
        ("tasks/reader/bad.py", "from prefect import task"),
        ("tasks/reader/bad.py", "import storage.objects"),
        ("tasks/reader/bad.py", "import httpx"),
        ("tasks/bad.py", "from PIL import Image"),
        ("portal/bad.py", "import yaml"),
        ("flows/bad.py", "import rich.progress"),
        ("tasks/bad.py", "from fastapi import FastAPI"),
        ("portal/bad.py", "import pydantic_settings"),
    ],
)
def test_a_broken_rule_is_reported(house, path, line):
    (house / path).write_text(line + "\n")
    answer = lint(house)
    assert answer.returncode == 1
    assert path.removesuffix(".py").replace("/", ".") in answer.stdout
