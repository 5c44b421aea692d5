"""The command line: `jaalnet COMMAND`. Each command is a module here with `Settings` and `run(settings)`."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence

from jaalnet_core.errors import JaalnetError

COMMANDS = {
    "doctor": "check this machine, line by line",
    "data": "download, import, check or make pictures and masks",
    "train": "train LF-Net against DA-Net",
    "evaluate": "score a trained LF-Net: every metric in every averaging, as JSON",
    "robustness": "score the same weights on disturbed pictures: blur, JPEG, light, hair, rotation",
    "predict": "outline the lesions in your own pictures",
    "export": "write a trained LF-Net as an ONNX file, checked in ONNX Runtime",
    "audit": "test five published numbers for consistency",
    "benchmark": "FLOPs, speed and memory, beside a U-Net in the same run",
    "ablate": "variants of one recipe with several seeds, side by side, with undecided as an answer",
    "reproduce": "data, adversarial training, evaluation and a report with pictures",
    "report": "rebuild a run's tables and figures, or everything published",
    "trial": "a trial's prediction before its run, and what became of it",
    "ship": "make weights for others from a run: the files, their scores, and a card",
    "start": "make a learner's workspace: the lessons without solutions, nothing overwritten",
    "assignment": "make an nbgrader course folder: exercises with points, solutions and hidden tests",
    "lessons": "run the lessons and keep their outputs, check them, renew their map",
    "test": "lint and every test (what `make test` does, inside an installed environment)",
    "lab": "open JupyterLab at the first lesson",
}
DATA_COMMANDS = {
    "download": "fetch ISBI2016 from the archive, with resume and checksums",
    "import": "copy your own folders or archives into the data folder",
    "check": "find every problem of a data folder at once",
    "synthesize": "make the synthetic set",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 for a failure with a message, 2 for wrong usage."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    commands, prefix, package = COMMANDS, "jaalnet", "jaalnet_core.cli."
    if arguments[:1] == ["data"]:
        commands, prefix, package = DATA_COMMANDS, "jaalnet data", "jaalnet_core.cli.data_"
        arguments = arguments[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview(prefix, commands))
        return 0
    name = arguments[0].replace("_", "-")
    if name not in commands:
        print(f"{prefix}: no command {arguments[0]!r}.\n\n{_overview(prefix, commands)}", file=sys.stderr)
        return 2
    return _run(package + name.replace("-", "_"), f"{prefix} {name}", arguments[1:])


def _overview(prefix: str, commands: dict[str, str]) -> str:
    lines = [f"usage: {prefix} COMMAND [options]", "", "commands:"]
    lines += [f"  {name:<12} {summary}" for name, summary in commands.items()]
    return "\n".join([*lines, "", f"{prefix} COMMAND --help explains each."])


def _run(module_name: str, program: str, arguments: list[str]) -> int:
    import tyro  # imported late: the overview answers at once

    from jaalnet_core.cli.registry import registry

    module = importlib.import_module(module_name)
    _speak_plainly()
    try:
        settings = tyro.cli(
            module.Settings, prog=program, description=module.__doc__, args=arguments, registry=registry()
        )
        return module.run(settings)
    except JaalnetError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:  # no file of the user's: a fault of ours
            raise
        print(
            f"{program}: {error.filename}: {error.strerror}: check path, permissions and free space.", file=sys.stderr
        )
        return 1
    except SystemExit as stop:  # how tyro ends --help (0) and wrong usage (2)
        return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted.", file=sys.stderr)
        return 130


def _speak_plainly() -> None:
    """Names that the terminal cannot show are printed as escapes, and a decoder's mutterings not at all."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("ignore", module=r"PIL\.")
