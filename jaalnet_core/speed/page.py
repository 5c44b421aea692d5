"""The tables of `docs/speed.md` and its figure, from the JSON files that `make speed` writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaalnet_core.derived_files import Derived, DerivedFigure, DerivedText
from jaalnet_core.errors import DataError
from jaalnet_core.figures.attention_growth import attention_growth_figure
from jaalnet_core.report_page import markdown_table
from jaalnet_core.speed.aims import AIMS, PICTURES
from jaalnet_core.speed.figure_files import FOLDER, NotMeasured, measured_by, read_figures
from jaalnet_core.speed.on_paper import H200, PredictedSeconds, predict_run

PAGE = Path("docs") / "speed.md"
FIGURE = "attention.png"
_TRAINING = {"training-small": "small", "training-base": "base"}


def speed_files(root: Path) -> list[Derived]:
    """The page with its tables, and the figure; nothing in a project without the page.

    Raises:
        DataError: a file of figures is damaged, or the page has no place for a table.
    """
    if not (root / PAGE).is_file():
        return []
    text = (root / PAGE).read_text(encoding="utf-8")
    for name, table in _TABLES.items():
        begin, end = f"<!-- speed: {name} -->", f"<!-- /speed: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise DataError(
                f"{root / PAGE}: found no single pair of {begin} and {end}, expected the place for the table."
            )
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{_table_or_gap(root, table)}\n{end}{rest.split(end)[1]}"
    page = DerivedText(root / PAGE, text)
    if not (root / FOLDER / "attention.json").exists():
        return [page]
    rows = read_figures(root, "attention")["rows"]
    return [page, DerivedFigure(root / FOLDER / FIGURE, rows, lambda: attention_growth_figure(rows))]


def _table_or_gap(root: Path, table: Callable[[Path], str]) -> str:
    try:
        return table(root)
    except NotMeasured as missing:
        return f"*Not measured yet: `make speed` writes {missing}.*"


def _aims(root: Path) -> str:
    rows = [aim.row(read_figures(root, aim.file)) for aim in AIMS]
    on_paper = f"on paper {_on_paper(root, 128).longest:.0f} s at batch 128"
    rows.append([f"300 epochs of `base` over {PICTURES} pictures on one H200: under 120 s", on_paper, "not measured"])
    return markdown_table(["aim", "measured", ""], rows)


def _on_paper(root: Path, batch_size: int) -> PredictedSeconds:
    counted = read_figures(root, "step-base")["counted"]
    return predict_run(**counted, pictures=PICTURES, epochs=300, batch_size=batch_size)


def _training(root: Path) -> str:
    labels = {
        "lfnet": "LF-Net, forward and backward",
        "danet": "DA-Net, forward and backward",
        "step": "the whole adversarial step",
        "baseline": "U-Net resnet18, forward and backward",
        "authors": "the authors' whole step, stand-in",
    }
    rows, words = [], []
    for name, preset in _TRAINING.items():
        figures = read_figures(root, name)
        for subject, label in labels.items():
            row = figures.get(subject)
            if row is not None:
                low, high = row["images_per_second_range"]
                speed = f"{row['images_per_second']:.2f} ({low:.2f} to {high:.2f})"
                rows.append([preset, label, f"{row['gflop_per_image']:.2f}", speed, f"{row['peak_mb']:,.0f}"])
        seconds = PICTURES / figures["step"]["images_per_second"]
        words.append(f"At `{preset}` the steps of an epoch over {PICTURES} pictures take {seconds:.0f} s.")
        if against := figures.get("step_against_authors"):
            words.append(
                f"Against the stand-in, round by round: {_times(against)} **at {100 * against['memory']:.0f} % of its "
                f"memory** and {100 * against['gflop']:.0f} % of its arithmetic."
            )
    small = f"--preset small --authors --rounds {read_figures(root, 'training-small')['rounds']}"
    words.append(measured_by(figures, f"{small}`, `--preset base"))
    alone = read_figures(root, "training-one-thread")
    command = measured_by(alone, f"--preset small --authors --rounds {alone['rounds']}")
    words.append(f"With one thread: {_times(alone['step_against_authors'])}. {command}")
    head = ["preset", "what", "GFLOP an image", "images a second (range)", "peak MB"]
    return "\n\n".join([markdown_table(head, rows), " ".join(words)])


def _times(against: Mapping[str, Any]) -> str:
    low, high = against["speed_range"]
    return f"**{against['speed']:.1f} times the images a second** ({low:.1f} to {high:.1f})"


def _step(root: Path) -> str:
    figures = read_figures(root, "step")
    total = figures["total"]
    rows = [[row["part"], row["milliseconds"]] for row in figures["parts"]] + [["**all**", total]]
    table = markdown_table(
        ["part of a step", "ms a picture", "share"],
        [[part, f"{spent:.2f}", f"{100 * spent / total:.1f} %"] for part, spent in rows],
    )
    words = f"A picture, batch {figures['batch_size']}. With nothing timed within the whole takes "
    words += f"{figures['unwatched']:.1f} ms. "
    return "\n\n".join([table, words + measured_by(figures, f"--of step --preset {figures['preset']}")])


def _epoch(root: Path) -> str:
    figures = read_figures(root, "epoch")
    rest = figures["seconds"] - figures["learning"] - figures["validating"]
    rows = [
        ["steps", figures["learning"]],
        [f"validation of {figures['validation']} pictures", figures["validating"]],
        ["batches, log and files", rest],
        ["**the whole epoch**", figures["seconds"]],
    ]
    table = markdown_table(["part of an epoch", "seconds"], [[part, f"{spent:.1f}"] for part, spent in rows])
    low, high = figures["seconds_range"]
    reached, best = figures["gflop_per_second"], figures["matrix_gflop_per_second"]
    words = (
        f"{figures['data']}, {figures['learnt_from']} pictures at {figures['size'][1]}x{figures['size'][0]}, batch "
        f"{figures['batch_size']}; median of {max(1, figures['epochs'] - 1)}, range {low:.1f} to {high:.1f}; the first "
        f"took {figures['first']:.1f}. While learning {reached:.0f} GFLOP a second, {100 * reached / best:.0f} % of a "
        "large matrix product's. "
    )
    command = f"--of epoch --preset {figures['preset']} --epochs {figures['epochs']}"
    return "\n\n".join([table, words + measured_by(figures, command)])


def _paper(root: Path) -> str:
    counted, rows = read_figures(root, "step-base")["counted"], []
    for batch_size in (16, 64, 128):
        seconds = _on_paper(root, batch_size)
        each = (seconds.handing_over, seconds.moving, seconds.multiplying, seconds.longest)
        rows.append([str(batch_size), f"{seconds.steps:,}", *(f"{value:.0f}" for value in each)])
    head = ["batch", "steps", "handing over, s", "moving, s", "multiplying, s", "longest, s"]
    words = (
        f"A step is {counted['operations']:,} operations, {counted['gflop']:.1f} GFLOP and "
        f"{counted['megabytes']:,.0f} MB a picture in float32 (half in bf16), counted by `jaalnet benchmark --of step "
        f"--preset base`. {H200.name} by its data sheet: {H200.flop_per_second / 1e12:.0f} TFLOP (bf16) and "
        f"{H200.bytes_per_second / 1e12:.1f} TB a second; {H200.seconds_an_operation * 1e6:.0f} microseconds to hand "
        "over an operation are a guess."
    )
    return "\n\n".join([markdown_table(head, rows), words])


def _scores(root: Path) -> str:
    figures = read_figures(root, "scores")
    rows = [
        [str(row["seed"]), f"{100 * row['before']:.2f}", f"{100 * row['after']:.2f}", *_seconds_of_both(row)]
        for row in figures["rows"]
    ]
    head = ["seed", "Dice before", "Dice after", "seconds before", "seconds after"]
    low, high = (100 * value for value in figures["difference_range"])
    spread, error = figures["spread_before"], figures["difference_error"]
    seeds = "" if spread is None else f" The seeds before differ by a standard deviation of {100 * spread:.2f}."
    sure = "" if error is None else f", standard error {100 * error:.2f}"
    size = f"{figures['size'][1]}x{figures['size'][0]}"
    words = (
        f"After less before: {100 * figures['difference']:+.2f} ({low:+.2f} to {high:+.2f}){sure}.{seeds} "
        f"{figures['data']}, {figures['learnt_from']} pictures, {figures['epochs']} epochs, `{figures['preset']}` at "
        f"{size}; validation Dice of the last epoch, {figures['validation']} pictures, percent. "
        "Seconds hang on what else the machine did. "
    )
    options = f"--preset {figures['preset']} --size {size} --pictures {figures['learnt_from']} --seeds"
    options = " ".join([options, *(str(row["seed"]) for row in figures["rows"])])
    return "\n\n".join([markdown_table(head, rows), words + measured_by(figures, f"--of scores {options}")])


def _seconds_of_both(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['seconds'][way]:.0f}" for way in ("before", "after")]


def _layers(root: Path) -> str:
    figures = read_figures(root, "layers")
    rows = []
    for row in [*figures["parts"], {"part": "**all**", **figures["total"]}]:
        floor = max(row["arithmetic_floor"], row["memory_floor"])
        numbers = [row["gflop"], row["megabytes"], row["arithmetic_floor"], row["memory_floor"], row["milliseconds"]]
        gap = f"{row['milliseconds'] / floor:.1f}" if floor > 0.005 else ""
        rows.append([row["part"], *(f"{number:.2f}" for number in numbers), gap])
    head = ["part of LF-Net", "GFLOP", "MB moved", "arithmetic floor, ms", "memory floor, ms", "measured, ms"]
    rates, total = figures["rates"], figures["total"]
    words = (
        f"A picture, forward and backward, batch {figures['batch_size']}. Floors: a matrix product reaches "
        f"{rates['gflop_per_second']:.0f} GFLOP a second here, a copy {rates['gigabytes_per_second']:.1f} GB a second. "
        f"Without a clock in every operation the whole takes {total['unwatched']:.1f} ms. "
        + measured_by(figures, f"--of layers --preset {figures['preset']}")
    )
    return "\n\n".join([markdown_table([*head, "times the higher floor"], rows), words])


def _changes(root: Path) -> str:
    at_small, at_tiny = (read_figures(root, name) for name in ("changes", "changes-tiny"))
    gains = {row["name"]: _gain(row) for row in at_small["changes"]}
    rows = [
        [row["name"], row["why"], f"+{row['predicted']:g} %", gains.get(row["name"], "not measured"), _gain(row)]
        for row in at_tiny["changes"]
    ]
    if (root / FOLDER / "folder.json").exists():
        rows.append(_folder_change(read_figures(root, "folder")))
    head = ["change", "why", "predicted for `small`", "`small`, images a second", "`tiny`, images a second"]
    return "\n\n".join(
        [
            markdown_table(head, rows),
            measured_by(at_small, f"--of changes --rounds {at_small['rounds']}"),
            measured_by(at_tiny, f"--of changes --preset tiny --rounds {at_tiny['rounds']}"),
        ]
    )


def _gain(row: Mapping[str, Any]) -> str:
    low, high = row["gain_range"]
    return f"{row['gain']:+.1f} % ({low:+.1f} to {high:+.1f}; {row['before']:.1f} to {row['after']:.1f})"


def _beside(root: Path) -> str:
    figures = read_figures(root, "beside")
    rows = []
    for row in figures["rows"]:
        ranges = (row["seconds_range"][wait] for wait in ("long", "short"))
        cells = [
            f"{row[wait]:.2f} ({low:.2f} to {high:.2f})"
            for wait, (low, high) in zip(("long", "short"), ranges, strict=True)
        ]
        rows.append([row["beside"], *cells])
    head = ["beside", "seconds a step, as GNU OpenMP waits by itself", "waiting shortly, as `jaalnet_core` has it"]
    size = "x".join(str(side) for side in figures["size"])
    steps = f"medians of {figures['rounds']} steps and their range"
    words = f"`{figures['preset']}` at {size}, batch {figures['batch_size']}; {steps}. "
    command = f"--of beside --preset {figures['preset']} --size {size} --rounds {figures['rounds']}"
    return "\n\n".join([markdown_table(head, rows), words + measured_by(figures, command)])


def _folder_change(folder: Mapping[str, Any]) -> list[str]:
    before, after = (folder[way]["pictures_per_second"] for way in ("one_at_a_time", "all_cores"))
    return [
        f"predict: {folder['all_cores']['workers']} pictures at a time",
        "decoding and encoding a picture keep one core busy while the others wait",
        "+60 %",
        f"{100 * (folder['ratio'] - 1):+.0f} % ({before:.1f} to {after:.1f} pictures a second)",
        "",
    ]


def _inference(root: Path) -> str:
    figures = read_figures(root, "inference")
    rows = []
    for way, row in figures["ways"].items():
        if row is None:
            rows.append([way, "not measured", "", "", ""])
            continue
        low, high = row["milliseconds_range"]
        difference = f"{row['largest_difference']:.1g}" if row["largest_difference"] else "0"
        rows.append(
            [way, f"{row['milliseconds']:.1f}", f"{low:.1f} to {high:.1f}", f"{row['ready_seconds']:.1f}", difference]
        )
    head = ["way", "ms a picture (median)", "range", "to get ready, s", "largest difference of a probability"]
    words = f"One {figures['size'][1]}x{figures['size'][0]} picture, {figures['gflop']:.2f} GFLOP. "
    return "\n\n".join([markdown_table(head, rows), words + measured_by(figures, "--of inference", own_threads=True)])


def _attention(root: Path) -> str:
    figures = read_figures(root, "attention")
    rows = [
        [f"{row['positions']:,}", row["way"], f"{row['seconds']:.4f}", f"{row['peak_mb']:,.1f}"]
        for row in figures["rows"]
    ]
    words = (
        f"One picture, {figures['channels']} channels, forward and backward; memory in a process of its own. The two "
        f"ways' outputs differ by at most {figures['largest_difference']:.1g} of the largest. "
    )
    table = markdown_table(["positions", "way", "seconds (median)", "most memory, MB"], rows)
    alt = attention_growth_figure(figures["rows"]).alt
    picture = f"![{alt}](../{(FOLDER / FIGURE).as_posix()})"
    return "\n\n".join([picture, table, words + measured_by(figures, "--of attention")])


def _folder(root: Path) -> str:
    figures = read_figures(root, "folder")
    names = {"one_at_a_time": "one at a time", "all_cores": "all cores"}
    rows = [
        [label, str(row["pictures"]), f"{row['seconds']:.1f}", f"{row['pictures_per_second']:.2f}"]
        for row, label in ((figures[name], label) for name, label in names.items())
    ]
    first, second = (f"{peak:.0f}" if peak is not None else "unknown" for peak in figures["peak_mb_halves"])
    sizes = ", ".join(f"{width}x{height}" for height, width in figures["sides"])
    words = (
        f"JPEGs of {sizes} in turn, decoded, outlined and written as mask and overlay. Most memory above the start: "
        f"{first} MB in the first half of the pictures, {second} MB in the second. "
    )
    table = markdown_table(["", "pictures", "seconds", "pictures a second"], rows)
    return "\n\n".join(
        [table, words + measured_by(figures, f"--of folder --pictures {figures['all_cores']['pictures']}")]
    )


_TABLES: dict[str, Callable[[Path], str]] = {
    "aims": _aims,
    "training": _training,
    "step": _step,
    "epoch": _epoch,
    "paper": _paper,
    "scores": _scores,
    "layers": _layers,
    "changes": _changes,
    "beside": _beside,
    "inference": _inference,
    "attention": _attention,
    "folder": _folder,
}
