"""Learning-rate schedules as plain functions of the step: nothing to save, nothing to get out of step on a resume."""

from __future__ import annotations

import math

from jaalnet_core.choices import Schedule

WARM_UP = 0.25  # share of a one-cycle run that climbs
START_DIVISOR = 25  # a one-cycle run starts at its peak divided by this


def schedule_factor(schedule: Schedule, step: int, total_steps: int) -> float:
    """The share of the peak learning rate to use in step `step` of `total_steps`, in 0..1.

    `constant`: 1. `linear`: 1, then from half-way down to 0 (pix2pix). `cosine`: from 1 to 0 (Loshchilov and Hutter
    2017). `one-cycle`: from 1/25 up to 1 over the first quarter, then to 0, both by cosine (Smith and Topin 2018).
    """
    progress = min(step / max(total_steps, 1), 1.0)
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return min(1.0, 2 * (1 - progress))
    if schedule == "cosine":
        return _falling_cosine(progress)
    if schedule == "one-cycle":
        if progress < WARM_UP:
            low = 1 / START_DIVISOR
            return low + (1 - low) * (1 - _falling_cosine(progress / WARM_UP))
        return _falling_cosine((progress - WARM_UP) / (1 - WARM_UP))
    raise ValueError(f"schedule: found {schedule!r}, expected constant, linear, cosine or one-cycle.")


def _falling_cosine(progress: float) -> float:
    return (1 + math.cos(math.pi * progress)) / 2
