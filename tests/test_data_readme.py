"""data/README.md: its commands exist with those options, and its numbers are what the package does."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest
import tyro

from jaalnet_core.cli.registry import registry
from jaalnet_core.data.layout import LEAKED_IDS, OFFICIAL_FOLDERS
from jaalnet_core.data.preprocess import CACHE_NAME
from jaalnet_core.data.splits import is_validation

README = Path(__file__).resolve().parent.parent / "data" / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("jaalnet ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line):
    words = shlex.split(line)[1:]
    name = f"data_{words[1]}" if words[0] == "data" else words[0]
    options = words[2:] if words[0] == "data" else words[1:]
    module = importlib.import_module(f"jaalnet_core.cli.{name}")
    settings = tyro.cli(module.Settings, args=options, registry=registry())
    assert isinstance(settings, module.Settings)


def test_every_data_command_is_shown():
    assert {line.split()[2] for line in COMMANDS if line.startswith("jaalnet data")} == {
        "download",
        "import",
        "check",
        "synthesize",
    }


def test_names_are_the_packages():
    for name in (*LEAKED_IDS, *(folder for pair in OFFICIAL_FOLDERS.values() for folder in pair), CACHE_NAME):
        assert name in TEXT


@pytest.mark.real_data
def test_the_numbers_of_the_split(real_data):
    manifest = real_data / "manifest.csv"
    if manifest.is_file():  # lists all 900 official ids, whichever are here
        rows = [line.split(",") for line in manifest.read_text().splitlines()[1:]]
        ids = [row[1] for row in rows if row[0] == "train"]
    else:
        ids = [path.stem for path in (real_data / OFFICIAL_FOLDERS["train"][0]).glob("*.jpg")]
    ids = [id for id in ids if id not in LEAKED_IDS]
    validation = sum(is_validation(id) for id in ids)
    assert f"Of the {len(ids)} training pictures of ISBI2016, {validation} are validation" in TEXT
    assert f"and {len(ids) - validation} train the network" in TEXT
