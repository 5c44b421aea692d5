"""How much work to do: `fast` for a laptop and for tests, `full` for the real run. One object decides.

`JAALNET_PROFILE=fast|full` chooses; notebooks and `jaalnet reproduce` read the numbers and never branch on
the name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from jaalnet_core.errors import SettingsError
from jaalnet_core.size import Size

ProfileName = Literal["fast", "full"]
PROFILE_VARIABLE = "JAALNET_PROFILE"


@dataclass(frozen=True)
class Profile:
    """The amounts of one profile.

    Attributes:
        name: `fast` or `full`.
        preset: width of both networks: `tiny`, `small` or `base`.
        size: height and width at which the networks work.
        synthetic_train, synthetic_test: pictures of the synthetic set.
        train_limit: at most so many training pictures are used; None: all.
        epochs: times every training picture is seen.
        batch_size: pictures a step.
        learning_rate: base rate; the recipe's schedule peaks at a multiple of it.
        checkpoint_every: epochs between full checkpoints.
        bootstrap_samples: resamplings behind a 95% interval.
        lesson_train, lesson_validation, lesson_epochs: what lesson 6 trains and validates on, and for how long: with
            `fast` a minute on two cores, with `full` the real run.
        lesson_batch_size, lesson_learning_rate: its steps; from few pictures smaller batches learn more.
    """

    name: ProfileName
    preset: Literal["tiny", "small", "base"]
    size: Size
    synthetic_train: int
    synthetic_test: int
    train_limit: int | None
    epochs: int
    batch_size: int
    learning_rate: float
    checkpoint_every: int
    bootstrap_samples: int
    lesson_train: int
    lesson_validation: int
    lesson_epochs: int
    lesson_batch_size: int
    lesson_learning_rate: float


FAST = Profile(
    name="fast",
    preset="tiny",
    size=Size(64, 64),
    synthetic_train=400,
    synthetic_test=100,
    train_limit=400,
    epochs=20,
    batch_size=16,
    learning_rate=2e-4,  # few steps: twice the base rate of the full run
    checkpoint_every=5,
    bootstrap_samples=500,
    lesson_train=96,
    lesson_validation=40,
    lesson_epochs=7,
    lesson_batch_size=8,
    lesson_learning_rate=3e-4,
)
FULL = Profile(  # the run behind checkpoints/shipped/small-isbi2016
    name="full",
    preset="small",
    size=Size(128, 128),
    synthetic_train=900,  # as many as ISBI2016 has
    synthetic_test=379,
    train_limit=None,
    epochs=48,
    batch_size=16,
    learning_rate=1e-4,
    checkpoint_every=8,
    bootstrap_samples=2000,
    lesson_train=900,  # all that ISBI2016 has
    lesson_validation=90,
    lesson_epochs=48,
    lesson_batch_size=16,
    lesson_learning_rate=1e-4,
)


def current_profile(
    name: str | None = None,
    environment: Mapping[str, str] = os.environ,
    *,
    default: ProfileName | None = None,
) -> Profile:
    """The profile called `name`, else that of $JAALNET_PROFILE, else `default`.

    When none of them is given: full with a GPU, fast without.

    Raises:
        SettingsError: no profile is called so.
    """
    where, asked = ("profile", name) if name else (PROFILE_VARIABLE, environment.get(PROFILE_VARIABLE))
    chosen = asked or default or ("full" if _has_gpu() else "fast")
    if chosen not in get_args(ProfileName):
        raise SettingsError(f"{where}: found {chosen!r}, expected fast or full.")
    return FULL if chosen == "full" else FAST


def _has_gpu() -> bool:
    import torch  # seconds to import, and needed only when nobody chose

    return torch.cuda.is_available()
