"""The page is made from the files alone, and says what they say."""

from __future__ import annotations

import pytest

from jaalnet_core.ablation.differences import compare
from jaalnet_core.ablation.record import read_run_file
from jaalnet_core.ablation.table import comparison_page, comparison_table, row_commands, write_page
from jaalnet_core.cli import main
from jaalnet_core.errors import DataError


def test_a_run_comes_back_from_its_file(make_run, tmp_path):
    run = make_run("published", 7)
    path = run.save(tmp_path)
    assert path.name == "published-seed7.json"
    again = read_run_file(path)
    assert again.evaluations["validation"].counts.tolist() == run.evaluations["validation"].counts.tolist()
    for name in ("variant", "says", "seed", "settings", "data", "command", "environment", "seconds", "curve"):
        assert getattr(again, name) == getattr(run, name)


def test_the_page_holds_means_spread_difference_and_verdict(make_run):
    runs = [make_run("course", s, [0.8, 0.9, 0.7 + 0.03 * s]) for s in (0, 1, 2)]
    runs += [make_run("published", s, [0.5, 0.6, 0.4]) for s in (0, 1, 2)] + [make_run("bce-adversary", 0)]
    page = comparison_page(runs)
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| `")}
    assert "| 3 | 81.00 ± 1.00 |  | base |" in lines["`course`"]
    assert "| 3 | 50.00 ± 0.00 | -31.00 (" in lines["`published`"]
    assert "| worse |" in lines["`published`"]
    assert "| 1 | 80.00 |" in lines["`bce-adversary`"]
    assert "| undecided |" in lines["`bce-adversary`"]
    assert "7 runs of 5 epochs on 40 discs pictures, scored on the 3 validation pictures" in page
    assert "0123456789ab" in page


def test_a_brief_table_has_fewer_columns_and_the_same_rows(make_run):
    rows = compare([make_run("course"), make_run("published", dice=[0.5, 0.6, 0.4])])
    full, brief = (comparison_table(rows, brief=brief).splitlines() for brief in (False, True))
    assert len(full) == len(brief) == 4
    assert brief[0] == "| variant | seeds | Dice, mean ± spread | difference to the base | verdict |"
    assert all("what published changes" not in line for line in brief)
    assert full[3].split("|")[4] == brief[3].split("|")[3] == " 50.00 "


def test_one_command_a_row_with_all_its_seeds(make_run):
    runs = [make_run("course", s) for s in (0, 1)] + [make_run("published", 4)]
    assert row_commands(runs) == [
        "jaalnet ablate --variants course --seeds 0 1 --epochs 5",
        "jaalnet ablate --variants published --seeds 4 --epochs 5",
    ]


def test_the_command_rebuilds_the_page_without_training(make_run, tmp_path, capsys):
    make_run("course").save(tmp_path)
    make_run("published").save(tmp_path)
    assert main(["ablate", "--table", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    assert page in capsys.readouterr().out
    assert write_page(tmp_path, base="published").read_text() != page


def test_an_empty_folder_is_refused(tmp_path, capsys):
    assert main(["ablate", "--table", "--out", str(tmp_path)]) == 1
    assert "found no results" in capsys.readouterr().err
    with pytest.raises(DataError, match="none"):
        comparison_page([])
