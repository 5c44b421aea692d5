"""From a finished run to weights that others may use: the files, their scores, and a card that says what they are."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jaalnet_core.baselines import evaluate_baselines
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import CheckpointError, DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.figures import dice_histogram, save_figure, training_curves
from jaalnet_core.files import atomic_path, write_json
from jaalnet_core.metrics import scores
from jaalnet_core.report import read_run, sha256, without_path
from jaalnet_core.report_page import page
from jaalnet_core.scoring import places, score
from jaalnet_core.weights import SHIPPED, load_da_net, load_lf_net, save_weights

LARGEST = 16_000_000  # bytes of one file: a clone brings every version of it along
LF_NET, DA_NET, CARD, METRICS = "lf_net.safetensors", "da_net.safetensors", "README.md", "metrics.json"

USE = """\
## Use

```
jaalnet evaluate --checkpoint {folder}/lf_net.safetensors --data DIR
jaalnet predict --checkpoint {folder}/lf_net.safetensors PICTURES --out masks
```

Meant for teaching and for research on segmentation. **No medical device**: nothing here was tested on patients, no
outline says whether a lesion is harmless, and pictures unlike those of the training (other cameras, other skin,
clinical photographs without a dermoscope) may be outlined badly without any sign of it. `da_net.safetensors` is the
discriminator at the end of the same training, for study; prediction does not need it."""


def ship(
    run: Path,
    data: LesionData,
    name: str,
    *,
    notes: Sequence[str] = (),
    out: Path = SHIPPED,
    half: bool = False,
    device: str = "auto",
) -> Path:
    """Copy a run's best LF-Net and its DA-Net to `out/name`, score the copy, and write its card.

    What is scored is the file that is shipped: at network size and at the masks' own size, as it is and with mirror
    images averaged, beside Otsu's threshold and the mean training mask.

    Args:
        run: the folder of a finished run.
        data: the test set to score on, with the training pictures for the mean mask, at the network's size.
        name: of the folder in `out`, such as `small-isbi2016`.
        notes: what else the card has to say about the data.
        half: store float16.

    Raises:
        CheckpointError: weights are missing, or a file is larger than may be shipped.
        DataError: `run` is no run's folder, or a split is empty.
    """
    record = read_run(run)
    folder = out / name
    if not (run / "da_net.safetensors").is_file():
        raise DataError(f"{run}: holds no da_net.safetensors, expected a run that was trained adversarially.")
    for loaded, target in ((load_lf_net(run / "best.safetensors"), LF_NET), (load_da_net(run / DA_NET), DA_NET)):
        save_weights(loaded.network, folder / target, loaded.size, half=half, **loaded.metadata)
        if (size := (folder / target).stat().st_size) > LARGEST:
            (folder / target).unlink()
            raise CheckpointError(
                f"{target}: found {size / 1e6:.1f} MB, expected at most {LARGEST / 1e6:.0f}; use --half."
            )
    evaluations = _scores(folder, data, device)
    baselines = {title: one.to_json() for title, one in evaluate_baselines(data).items()}
    headline = evaluations["test"]
    pictures = _figures(folder, record.log, headline, name)
    write_json(
        folder / METRICS,
        {
            "name": name,
            "trained_on": f"{record.pictures} {record.data['name']} pictures",
            "checkpoint_sha256": sha256(folder / LF_NET),
            "evaluations": {title: one.to_json() for title, one in evaluations.items()},
            "baselines": baselines,
        },
    )
    shutil.copyfile(run / "log.csv", folder / "log.csv")
    write_json(folder / "settings.json", replace(record.settings, data=None, out=None, resume=False).to_json())
    text = page(
        replace(record, name=name, environment={k: v for k, v in record.environment.items() if k != "command"}),
        {title: one.to_json() for title, one in evaluations.items()},
        data_name=data.name,
        notes=[*(without_path(note, data.root) for note in data.notes), *notes],
        pictures=pictures,
        baselines=baselines,
        photographs=False,
    )
    with atomic_path(folder / CARD) as temporary:
        temporary.write_text(text + "\n" + USE.format(folder=folder.as_posix()) + "\n", encoding="utf-8")
    return folder


def _scores(folder: Path, data: LesionData, device: str) -> dict[str, Evaluation]:
    loaded = load_lf_net(folder / LF_NET)
    return {
        name + suffix: score(loaded, data, score_at=place, flips=flips, device=device)
        for suffix, flips in {"": False, ", mirror images averaged": True}.items()
        for name, place in places("test").items()
    }


def _figures(folder: Path, log: Mapping, headline: Evaluation, name: str) -> dict[str, str]:
    dice = scores(headline.counts)["dice"].numpy()
    save_figure(dice_histogram(dice, title=f"Dice of each test image, {name}"), folder / "dice.png")
    save_figure(training_curves(log, title=name), folder / "curves.png")
    return {
        "dice.png": f"Dice of each test image: mean {dice.mean():.3f}.",
        "curves.png": "Training: losses, DA-Net's opinion of real and fake pairs, and validation scores.",
    }
