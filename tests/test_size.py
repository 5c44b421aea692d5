"""A size as people write it, on its own and on the command line."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import tyro

from jaalnet_core.cli.registry import registry
from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size


@dataclass(frozen=True)
class Settings:
    size: Size = Size(128, 128)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("128", Size(128, 128)),
        ("192x160", Size(height=160, width=192)),
        (" 64 X 32 ", Size(32, 64)),
        ("40×50", Size(50, 40)),
    ],
)
def test_it_is_read_as_width_by_height(text, size):
    assert Size.parse(text) == size
    assert Size.parse(str(size)) == size


@pytest.mark.parametrize("text", ["", "x", "128x", "-128", "31", "192x16", "1e3", "128x128x3"])
def test_what_is_no_size_is_shown_in_the_message(text):
    with pytest.raises(SettingsError, match="size: found"):
        Size.parse(text)


def test_the_command_line_reads_it_from_one_word():
    assert tyro.cli(Settings, args=["--size", "192x160"], registry=registry()).size == Size(160, 192)
    assert tyro.cli(Settings, args=[], registry=registry()).size == Size(128, 128)


def test_a_wrong_size_on_the_command_line_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        tyro.cli(Settings, args=["--size", "16"], registry=registry())
    assert stopped.value.code == 2
    assert "at least 32" in " ".join(capsys.readouterr().err.replace("│", " ").split())
