"""The project held against itself: its files name the same things, imports run one way, files stay readable."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from jaalnet_core.cli import COMMANDS, DATA_COMMANDS, main
from jaalnet_core.install import OLDEST_PYTHON

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jaalnet_core"
EXTRAS = {"course", "classroom", "test", "site"}
LONGEST_FILE = 320

# The house of CONTRIBUTING.md, from the cellar up: a module imports from its own floor or from below.
FLOORS = (
    {
        "errors",
        "size",
        "files",
        "integrity",
        "supplied",
        "run_log",
        "scoring_log",
        "typed_fields",
        "lesson_times",
        "peak_memory",
        "install",
        "__init__",
    },
    {"choices", "profile", "reproduce_settings", "benchmark_settings", "ablation_settings"},
    {"blocks", "batch_norm", "depthwise", "attention", "contour", "receptive_field", "convolution_cost", "flops"},
    {
        "lf_net",
        "da_net",
        "unet",
        "losses",
        "metrics",
        "bootstrap",
        "interval",
        "group_scores",
        "thresholds",
        "calibration",
        "data",
        "figures",
        "weights",
        "pretrained",
        "activations",
        "gating",
        "position_maps",
        "snapshots",
        "specimen",
        "switched_off",
    },
    {
        "training",
        "evaluation",
        "views",
        "prediction",
        "prediction_files",
        "export",
        "report",
        "report_page",
        "audit",
        "baselines",
        "scoring",
        "shipping",
        "results",
        "cards",
        "derived_files",
        "front_page",
        "rebuilding",
        "trials",
        "trials_page",
        "benchmark",
        "speed",
        "ablation",
        "side_by_side",
        "diagnosis_scores",
        "failure_kinds",
        "failure_words",
        "robustness",
    },
    {"reproduce", "doctor", "widgets"},
    {"cli", "course", "__main__"},
)


@cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@cache
def tracked_files() -> list[Path]:
    """The files git knows or would take; all of them where this is no git checkout."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        folders = ("jaalnet_core", "tests", "notebooks", ".ci")
        return [p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    return [path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def sources() -> list[Path]:
    return sorted(p for p in tracked_files() if p.suffix == ".py")


def documents() -> list[Path]:
    return sorted(p for p in tracked_files() if p.suffix == ".md")


# ---- one list of packages ----


def base_name(requirement: str) -> str:
    return re.split(r"[<>=~! \[;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def all_requirements() -> list[str]:
    extras = project()["project"]["optional-dependencies"]
    named = [requirement for extra in EXTRAS for requirement in extras[extra]]
    return project()["project"]["dependencies"] + named


def test_conda_takes_everything_but_python_and_pip_from_the_package_itself() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *from_conda, by_pip = environment["dependencies"]
    assert {base_name(name) for name in from_conda} == {"python", "pip"}
    assert by_pip == {"pip": [editable_line()]}


def test_requirements_txt_is_the_same_line() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == [editable_line()]


def editable_line() -> str:
    return "-e .[course,classroom,test,site]"


def test_the_extras_are_those_that_the_files_name() -> None:
    extras = project()["project"]["optional-dependencies"]
    assert set(extras) == EXTRAS | {"all"}
    assert extras["all"] == ["jaalnet-core[course,classroom,test,site]"]


def test_python_is_the_same_everywhere() -> None:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    assert project()["project"]["requires-python"] == f">={oldest}"
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"][0].startswith(f"python>={oldest}")
    assert f"--python-version {oldest} " in (ROOT / "Makefile").read_text()
    assert project()["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text()


def test_every_requirement_is_a_floor() -> None:
    """An upper limit in a package ages badly; exact versions are the lock's business."""
    assert all(re.fullmatch(r"[A-Za-z0-9-]+>=[0-9.]+", requirement) for requirement in all_requirements())


def test_the_lock_holds_every_requirement_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", lock)
    locked = {}
    for block in blocks:
        name, version = re.match(r"([a-z0-9-]+)==(\S+)", block).groups()
        assert "--hash=sha256:" in block, name
        locked.setdefault(name, set()).add(version)
    for requirement in all_requirements():
        name, floor = base_name(requirement), requirement.split(">=")[1]
        assert name in locked, f"{requirement} is not in requirements.lock: make lock"
        assert all(parts(version) >= parts(floor) for version in locked[name]), requirement
    assert "setuptools" in locked  # the package itself is built with it, without isolation
    assert not re.search(r"://|@ |--index|--find-links|--extra-index", lock)


def parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0]))


def test_every_import_is_a_declared_requirement() -> None:
    standard = set(sys.stdlib_module_names) | {"jaalnet_core", "__future__"}
    of_import = {"cv2": "opencv-python", "lightning": "lightning-fabric", "PIL": "pillow", "IPython": "ipython"}
    of_import |= {"segmentation_models_pytorch": "segmentation-models-pytorch", "lightning_fabric": "lightning-fabric"}
    allowed = {base_name(requirement) for requirement in all_requirements()}
    for path in PACKAGE.rglob("*.py"):
        for name, _ in imports_of(path):
            top = name.split(".")[0]
            if top not in standard:
                assert of_import.get(top, top).replace("_", "-") in allowed, f"{path.relative_to(ROOT)} imports {top}"


def test_the_citation_and_the_changes_name_this_version() -> None:
    version = project()["project"]["version"]
    assert f'__version__ = "{version}"' in (PACKAGE / "__init__.py").read_text()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert citation["license"] == project()["project"]["license"]
    (paper,) = citation["references"]
    assert paper["doi"] in (ROOT / "README.md").read_text()
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


# ---- what the documents tell people to type ----


def commands_in(text: str) -> Iterator[str]:
    """Every `jaalnet …` and `make …` in code, fenced or between backticks."""
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    for line in [line for block in fenced for line in block.splitlines()]:
        yield line.split("#")[0].strip()
    for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        yield " ".join(span.split())


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def options_of(command: str) -> frozenset[str]:
    """The options that `jaalnet command --help` shows."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([*command.split(), "--help"]) == 0
    return frozenset(re.findall(r"--[a-z0-9-]+", out.getvalue()))


def check_command(command: str) -> None:
    words = command.split()
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):  # settings of the environment
        words = words[1:]
    if words[:3] == ["python", "-m", "jaalnet_core"]:
        words = ["jaalnet", *words[3:]]
    if words[:1] == ["make"] and len(words) > 1:
        targets = [word for word in words[1:] if "=" not in word]
        assert set(targets) <= make_targets(), command
    if words[:1] == ["jaalnet"] and len(words) > 1 and words[1] not in ("COMMAND", "X"):
        assert words[1].split("|")[0] in COMMANDS, command
        name = words[1]
        if name == "data" and len(words) > 2:
            assert words[2] in DATA_COMMANDS, command
            name = f"data {words[2]}"
        given = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
        assert not given or given <= options_of(name), command


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_exists_with_its_options(document: Path) -> None:
    for command in commands_in(document.read_text()):
        check_command(command)


@pytest.mark.parametrize(
    "command", ["make reprodce", "jaalnet trane", "jaalnet data chekc", "jaalnet train --epoch 3", "make test-lon X=1"]
)
def test_the_check_of_commands_finds_a_wrong_one(command: str) -> None:
    with pytest.raises(AssertionError):
        check_command(command)


def test_the_readme_names_every_command_and_the_two_that_matter() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make reproduce " in readme
    assert "make test " in readme
    for name in COMMANDS:
        assert re.search(rf"`(jaalnet )?{name}\b", readme), name
    for name in DATA_COMMANDS:
        assert re.search(rf"`(jaalnet data )?{name}`", readme), name


def test_links_in_documents_lead_somewhere() -> None:
    for document in documents():
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)} -> {target}"


def test_make_and_the_command_line_offer_the_same() -> None:
    """Who has no make runs `python -m jaalnet_core reproduce|test|lab`."""
    makefile = (ROOT / "Makefile").read_text()
    for name in ("reproduce", "test", "lab", "doctor"):
        assert name in COMMANDS
        assert re.search(rf"^{name}: .*\n\t@\$\(JAALNET\) {name}\b", makefile, re.MULTILINE), name
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert set(phony) == make_targets()


def test_the_help_of_make_names_every_target() -> None:
    out = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1] for line in out.splitlines()} == make_targets()


def test_ci_calls_make_with_targets_that_exist() -> None:
    script = (ROOT / ".ci/run").read_text()
    called = re.findall(r"\bmake ([a-z-]+)", script)
    assert "test" in called
    assert set(called) <= make_targets()
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=False).returncode == 0
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


# ---- the house ----


def floor_of(module: str) -> int:
    """The floor of `jaalnet_core.<top>…`."""
    words = module.split(".")
    top = words[1] if len(words) > 1 else "__init__"
    (floor,) = (number for number, names in enumerate(FLOORS) if top in names)
    return floor


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Imported modules and lines, wherever in the file; `from p import m` names `p.m` where that is a module."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                yield (child if child in own_modules() else node.module), node.lineno


@cache
def own_modules() -> dict[str, Path]:
    """`jaalnet_core.…` to its file."""
    modules = {}
    for path in PACKAGE.rglob("*.py"):
        words = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(words[:-1] if words[-1] == "__init__" else words)] = path
    return modules


def test_every_module_has_its_floor() -> None:
    tops = {name.split(".")[1] for name in own_modules() if "." in name}
    known = set().union(*FLOORS)
    assert tops <= known, f"give {sorted(tops - known)} a floor here and in CONTRIBUTING.md"


def test_imports_only_run_downwards() -> None:
    wrong = []
    for module, path in own_modules().items():
        for name, line in imports_of(path):
            if name.startswith("jaalnet_core") and floor_of(name) > floor_of(module):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name} from a higher floor")
    assert not wrong, "\n".join(wrong)


def test_imports_run_in_no_circle() -> None:
    graph = {
        module: {name for name, _ in imports_of(path) if name in own_modules() and name != module}
        for module, path in own_modules().items()
    }
    finished: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, "circle: " + " -> ".join([*way[way.index(module) :], module])
        if module not in finished:
            for name in sorted(graph[module]):
                follow(name, (*way, module))
            finished.add(module)

    for module in graph:
        follow(module, ())


def test_the_course_of_imports_is_checked_where_they_hide(tmp_path: Path) -> None:
    """The checks above see an import inside a function too."""
    file = tmp_path / "late.py"
    file.write_text("def f():\n    from jaalnet_core.cli import main\n    import jaalnet_core.training.loop\n")
    assert [name for name, _ in imports_of(file)] == ["jaalnet_core.cli", "jaalnet_core.training.loop"]


def test_no_relative_imports() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.relative_to(ROOT)}:{node.lineno}"


def test_the_installer_stands_apart() -> None:
    assert not [name for name, _ in imports_of(PACKAGE / "install.py") if name.startswith("jaalnet_core")]


# ---- readable files ----


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_in_one_reading(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    longest = LONGEST_FILE if PACKAGE in path.parents else 2 * LONGEST_FILE
    assert lines <= longest, f"{lines} lines; one subject a file, split it"
    assert path.stem not in {"utils", "util", "helpers", "helper", "misc", "common"}


@pytest.mark.parametrize("path", sorted(own_modules().values()), ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_is_explained(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module has no docstring"
    kinds = (ast.FunctionDef, ast.ClassDef)
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for node in (node for body in bodies for node in body if isinstance(node, kinds)):
        if not node.name.startswith("_") and node.name != "forward":
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"


def test_no_file_names_a_machine() -> None:
    """No absolute path of somebody's home or workplace, and nobody's package index."""
    pattern = re.compile(
        "|".join(["/" + "root/", "/" + "home/", "/" + r"work/(?!\w*\.)", "/" + "Users/", "py" + "pi.org"])
    )
    found = []
    for path in (path for path in tracked_files() if path.parent != ROOT / "tests"):
        if path.suffix in {".py", ".md", ".toml", ".yml", ".txt", ".lock", ".json", ".ipynb", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found, "\n".join(found)


def test_no_photograph_is_in_the_repository() -> None:
    pictures = {".jpg", ".jpeg", ".tif", ".tiff", ".dcm"}
    assert not [path for path in tracked_files() if path.suffix.lower() in pictures]


def test_git_ignores_data_and_runs_but_not_what_ships() -> None:
    def ignored(name: str) -> bool:
        return subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0

    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    assert all(map(ignored, ["data/train/a.jpg", "checkpoints/run/best.pt", "reports/run/README.md", ".venv.lock"]))
    kept = ["data/README.md", "checkpoints/README.md", "checkpoints/shipped/x.safetensors", "notebooks/00_x.ipynb"]
    assert not any(map(ignored, kept))
