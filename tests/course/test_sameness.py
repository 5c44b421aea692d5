"""The proof of sameness: it passes what is the same, and says what is not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jaalnet_core.course import copy_weights, same_numbers


class Renamed(nn.Module):
    def __init__(self, inner: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, inner, 3, bias=False)
        self.then = nn.BatchNorm2d(inner)

    def forward(self, images):
        return self.then(self.first(images))


def theirs() -> nn.Sequential:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
    network(torch.rand(4, 3, 8, 8))  # running averages that are no zeros and ones
    return network


def test_weights_and_buffers_travel_whatever_their_names(capsys) -> None:
    same_numbers(Renamed(), theirs(), torch.rand(2, 3, 8, 8))
    assert capsys.readouterr().out == "same numbers: largest difference below 1e-05 over (2, 4, 6, 6)\n"


def test_modes_are_as_before() -> None:
    mine, network = Renamed(), theirs()
    network[1].eval()
    same_numbers(mine, network, torch.rand(2, 3, 8, 8))
    assert mine.training
    assert mine.then.training
    assert network.training
    assert not network[1].training


def test_another_function_is_found_and_described() -> None:
    class Shifted(Renamed):
        def forward(self, images):
            result = super().forward(images)
            result[1, 2, 3, 3] += 1
            return result

    with pytest.raises(AssertionError, match=r"most at \(1, 2, 3, 3\)"):
        same_numbers(Shifted(), theirs(), torch.rand(2, 3, 8, 8))


def test_without_copying_other_weights_are_other_numbers() -> None:
    with pytest.raises(AssertionError, match="differ by more"):
        same_numbers(Renamed(), theirs(), torch.rand(2, 3, 8, 8), copy=False)


def test_shapes_and_counts() -> None:
    with pytest.raises(AssertionError, match=r"yours has shape \(2, 3\), the package's \(3, 2\)"):
        same_numbers(torch.t, lambda x: x, torch.rand(3, 2))
    with pytest.raises(AssertionError, match="yours returns 2 tensors, the package's 1"):
        same_numbers(lambda x: (x, x), lambda x: x, torch.rand(3))


def test_nan_is_never_the_same() -> None:
    with pytest.raises(AssertionError, match="nan"):
        same_numbers(lambda x: x / 0 * 0, lambda x: x, torch.rand(3))


def test_a_function_that_changes_its_input_harms_nobody() -> None:
    x = torch.ones(3)
    same_numbers(lambda y: y.mul_(2), lambda y: y.mul_(2), x)
    assert x.tolist() == [1, 1, 1]


def test_weights_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"first\.weight has shape \(5, 3, 3, 3\), where Sequential's 0\.weight"):
        copy_weights(theirs(), Renamed(5))
    with pytest.raises(ValueError, match="has 1 weights and buffers, Sequential has 6"):
        copy_weights(theirs(), nn.Conv2d(3, 4, 3, bias=False))
