"""The words that settings accept, in one place without torch: the command line explains itself at once."""

from typing import Literal

Preset = Literal["tiny", "small", "base"]
RecipeName = Literal["course", "published"]
AdversarialKind = Literal["bce", "hinge", "least-squares"]
Normalisation = Literal["spectral", "batch"]
Augmentation = Literal["none", "flips", "course", "strong"]
Schedule = Literal["constant", "linear", "cosine", "one-cycle"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
