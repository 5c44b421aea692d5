"""What is published is what its files say: in the repository itself, and wherever a source or a page is changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from published_copy import REPOSITORY, copy_published

from jaalnet_core.ablation.record import read_run_files
from jaalnet_core.cli import main
from jaalnet_core.errors import DataError
from jaalnet_core.rebuilding import derived_files, rebuild

CARD = Path("checkpoints/shipped/small-isbi2016")
COMPARISON = Path("reports/published/ablation-tiny-64")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    root = copy_published(tmp_path_factory.mktemp("published"))
    rebuild(root)
    return root


@pytest.fixture
def project(pristine, tmp_path) -> Path:
    return shutil.copytree(pristine, tmp_path / "project")


def test_every_published_table_and_figure_says_what_its_files_say():
    outdated = rebuild(REPOSITORY, check=True)
    assert not outdated, "`jaalnet report` rewrites them"


def test_every_page_and_figure_beside_published_numbers_is_among_them():
    """Pages and figures that a person wrote are named here; a new one is either made from files or added."""
    made = {file.path.relative_to(REPOSITORY).as_posix() for file in derived_files(REPOSITORY)}
    by_hand = {"reports/published/failing-runs/README.md"}
    there = {
        path.relative_to(REPOSITORY).as_posix()
        for top in ("checkpoints/shipped", "reports/published")
        for path in (REPOSITORY / top).rglob("*")
        if path.suffix in (".md", ".png")
    }
    assert there - by_hand <= made
    assert "README.md" in made


def test_what_is_current_stays_untouched(project):
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}
    assert rebuild(project) == []
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "page",
    ["README.md", f"{CARD}/README.md", f"{COMPARISON}/README.md", "reports/published/protocol.md"],
)
def test_a_number_changed_by_hand_is_found_and_put_right(project, page):
    path = project / page
    right = path.read_text(encoding="utf-8")
    *_, cell = re.finditer(r"\| (\d\d\.\d\d)", right)
    path.write_text(f"{right[: cell.start(1)]}99.99{right[cell.end(1) :]}", encoding="utf-8")
    assert rebuild(project, check=True) == [Path(page)]
    assert "99.99" in path.read_text(encoding="utf-8"), "a check writes nothing"
    assert rebuild(project) == [Path(page)]
    assert path.read_text(encoding="utf-8") == right


def test_prose_around_a_table_stays(project):
    path = project / "reports" / "published" / "protocol.md"
    path.write_text(path.read_text(encoding="utf-8").replace("# Protocol", "# Our protocol"), encoding="utf-8")
    assert rebuild(project) == []
    assert "# Our protocol" in path.read_text(encoding="utf-8")


def test_another_score_reaches_card_readme_and_histogram(project):
    path = project / CARD / "metrics.json"
    metrics = json.loads(path.read_text())
    for image in metrics["evaluations"]["test"]["images"]:
        image["fp"] += 1
    metrics["evaluations"]["test"]["per_image"]["dice"] = 0.43219
    path.write_text(json.dumps(metrics))
    assert set(rebuild(project)) == {CARD / "README.md", CARD / "dice.png", Path("README.md")}
    assert "43.22" in (project / "README.md").read_text()
    assert "**43.22" in (project / CARD / "README.md").read_text()
    assert rebuild(project, check=True) == []


def test_another_log_reaches_card_curves_and_nothing_else(project):
    path = project / CARD / "log.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert set(rebuild(project)) == {CARD / "README.md", CARD / "curves.png"}
    assert "for 47 epochs" in (project / CARD / "README.md").read_text()


def test_another_run_reaches_the_comparison(project):
    victim = next(run for run in read_run_files(project / COMPARISON) if run.variant == "without-averaging")
    (project / COMPARISON / f"{victim.name}.json").unlink()
    assert rebuild(project) == [COMPARISON / "README.md"]


def test_a_figure_of_other_numbers_is_drawn_anew(project):
    shutil.copyfile(project / CARD / "dice.png", project / CARD / "curves.png")
    assert rebuild(project) == [CARD / "curves.png"]


def test_the_command_says_what_changed_and_fails_only_as_a_check(project, capsys):
    words = ["report", "--root", str(project)]
    assert main([*words, "--check"]) == 0
    assert "says what its files say" in capsys.readouterr().out
    (project / "README.md").write_text((project / "README.md").read_text().replace("| 91.53", "| 91.54"))
    assert main([*words, "--check"]) == 1
    assert "outdated: README.md" in capsys.readouterr().out
    assert main(words) == 0
    assert "rewritten: README.md" in capsys.readouterr().out
    assert main([*words, "--check"]) == 0


def test_a_check_is_not_about_a_run(tmp_path, capsys):
    assert main(["report", str(tmp_path), "--check"]) == 1
    assert "--check" in capsys.readouterr().err


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="project's folder"):
        rebuild(tmp_path)
