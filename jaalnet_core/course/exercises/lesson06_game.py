"""Small networks that play, and the moves of their game one by one: what a step of lesson 6 is compared with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

_SAME = 1e-3  # of the way that a network has gone


def lf_player(width: int = 4) -> nn.Module:
    """Draws logits `(B, 1, H, W)`; torch's own layers. The normalisation counts how often it has drawn."""
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.Tanh(), nn.Conv2d(width, 1, 1))


def da_player(width: int = 6) -> nn.Module:
    """Judges pairs `(B, 4, H, W)` by patches of 4 x 4; torch's own layers."""
    network = nn.Sequential(nn.Conv2d(4, width, 4, stride=4), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 1))
    with torch.no_grad():  # logits around 0, some of them beyond their margins
        logits = network(torch.rand(16, 4, 16, 16))
        gain = (1.5 / logits.std()).sqrt()
        for parameter in (*network[0].parameters(), network[2].weight):
            parameter.mul_(gain)
        network[2].bias.sub_(logits.mean()).mul_(gain**2)
    return network


def leave_gradients(*networks: nn.Module) -> None:
    """What an earlier pass may have left behind."""
    for network in networks:
        for parameter in network.parameters():
            parameter.grad = 0.3 * torch.randn_like(parameter)


def copied(network: nn.Module) -> nn.Module:
    """A copy, its gradients included."""
    other = copy.deepcopy(network)
    for mine, theirs in zip(other.parameters(), network.parameters(), strict=True):
        mine.requires_grad_(True).grad = None if theirs.grad is None else theirs.grad.clone()
    return other


def apart(first: nn.Module, second: nn.Module) -> float:
    """The distance between the weights of two networks of one kind."""
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return sum(float((a - b).detach().square().sum()) for a, b in pairs) ** 0.5


def same_weights(found: nn.Module, expected: nn.Module, start: nn.Module) -> bool:
    """Whether two networks that set out from `start` have arrived at the same place."""
    return apart(found, expected) <= _SAME * apart(start, expected) + 1e-9


@dataclass
class Game:
    """Two networks and one batch. `play` makes moves with copies of the networks; these stay as they are.

    Attributes:
        d_loss: of DA-Net's logits for real and fake pairs.
        g_loss: of drawing, mask, and DA-Net's logits for the fake pair.
        rate: of both optimisers, plain gradient descent.
        max_norm: to which `clip-d` and `clip-g` shorten.
    """

    lf_net: nn.Module
    da_net: nn.Module
    images: Tensor
    masks: Tensor
    d_loss: Callable[[Tensor, Tensor], Tensor]
    g_loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    rate: float
    max_norm: float = float("inf")

    def play(self, moves: str) -> Played:
        """Make moves, in words: draw, clear-d, d (backward), clip-d, step-d, the same with g, and d-undetached."""
        played = Played(copied(self.lf_net), copied(self.da_net))
        drawn = torch.zeros(0)
        for move in moves.split():
            kind, _, whose = move.partition("-")
            network = played.lf_net if whose == "g" else played.da_net
            if kind == "draw":
                drawn = torch.sigmoid(played.lf_net(self.images))
            elif kind == "clear":
                network.zero_grad()
            elif kind == "clip":
                nn.utils.clip_grad_norm_(network.parameters(), self.max_norm)
            elif kind == "step":
                torch.optim.SGD(network.parameters(), lr=self.rate).step()
            elif kind == "d":
                seen = drawn if whose == "undetached" else drawn.detach()
                loss = self.d_loss(played.judge(self.images, self.masks), played.judge(self.images, seen))
                loss.backward(retain_graph=True)
                played.losses["d"] = float(loss.detach())
            elif kind == "g":
                loss = self.g_loss(drawn, self.masks, played.judge(self.images, drawn))
                loss.backward(retain_graph=True)
                played.losses["g"] = float(loss.detach())
            else:
                raise ValueError(f"moves: found {move!r}")
        return played

    def leads_to(self, played: Played, lf_net: nn.Module, da_net: nn.Module) -> bool:
        """Whether some moves would have led to these weights."""
        return same_weights(lf_net, played.lf_net, self.lf_net) and same_weights(da_net, played.da_net, self.da_net)


@dataclass
class Played:
    """Where a game has led: both networks, and the losses that were met on the way."""

    lf_net: nn.Module
    da_net: nn.Module
    losses: dict[str, float] = field(default_factory=dict)

    def judge(self, images: Tensor, masks: Tensor) -> Tensor:
        """DA-Net's logits of a pair."""
        return self.da_net(torch.cat([images, masks], dim=1))
