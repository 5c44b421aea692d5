"""The words that settings accept, in one place without torch: the command line explains itself at once."""

from typing import Literal, get_args

Preset = Literal["tiny", "small", "base"]
NetworkName = Literal["lf-net", "unet"]
LFNetPart = Literal["contour-attention", "dense", "separable", "cbam"]
DANetPart = Literal["position-attention", "channel-attention"]
RecipeName = Literal["course", "published"]
AdversarialKind = Literal["bce", "hinge", "least-squares"]
Normalisation = Literal["spectral", "batch"]
Augmentation = Literal["none", "flips", "course", "strong"]
AugmentOn = Literal["auto", "loader", "device"]
Schedule = Literal["constant", "linear", "cosine", "one-cycle"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]

# parts of the networks that can be left out; each is a field of its network's settings, with _ for -
LF_NET_PARTS: tuple[str, ...] = get_args(LFNetPart)
DA_NET_PARTS: tuple[str, ...] = get_args(DANetPart)
