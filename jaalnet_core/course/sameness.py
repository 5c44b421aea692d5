"""The proof that a learner's version and the package's are one function: the same weights, the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy parameters and buffers in the order in which they were made, whatever their names.

    Raises:
        ValueError: another number of them, or a shape that differs; the message names the first.
    """
    ours, theirs = target.state_dict(), source.state_dict()
    if len(ours) != len(theirs):
        raise ValueError(
            f"{type(target).__name__} has {len(ours)} weights and buffers, {type(source).__name__} has {len(theirs)}: "
            f"{', '.join(ours)} against {', '.join(theirs)}."
        )
    for (name, tensor), (their_name, their_tensor) in zip(ours.items(), theirs.items(), strict=True):
        if tensor.shape != their_tensor.shape:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}, where {type(source).__name__}'s {their_name} has "
                f"{tuple(their_tensor.shape)}: make the parts in the same order."
            )
    target.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))


def same_numbers(
    mine: Callable[..., Tensor],
    theirs: Callable[..., Tensor],
    *inputs: Tensor,
    tolerance: float = 1e-5,
    copy: bool = True,
) -> None:
    """Run two functions or modules on the same inputs and print that they agree, or raise and say where they do not.

    Modules are compared in evaluation mode and without gradients; afterwards they are as before.

    Args:
        mine, theirs: what returns a tensor, or a tuple of tensors; modules or plain functions.
        tolerance: largest difference allowed, relative to the largest value where that is above 1.
        copy: give `mine` the weights of `theirs` first, where both are modules.

    Raises:
        AssertionError: shapes or values differ; the message says by how much, and where most.
        ValueError: the weights do not fit.
    """
    if copy and isinstance(mine, nn.Module) and isinstance(theirs, nn.Module):
        copy_weights(theirs, mine)
    with _evaluating(mine), _evaluating(theirs), torch.no_grad():
        ours, reference = _as_tuple(mine(*(x.clone() for x in inputs))), _as_tuple(theirs(*(x.clone() for x in inputs)))
    if len(ours) != len(reference):
        raise AssertionError(f"yours returns {len(ours)} tensors, the package's {len(reference)}.")
    for yours, expected in zip(ours, reference, strict=True):
        if words := disagreement(yours, expected, tolerance):
            raise AssertionError(words)
    shapes = " and ".join(str(tuple(tensor.shape)) for tensor in reference)
    print(f"same numbers: largest difference below {tolerance:.0e} over {shapes}")


def disagreement(
    yours: Tensor, expected: Tensor, tolerance: float, names: tuple[str, str] = ("yours", "the package's")
) -> str:
    """Words on how two tensors differ, in shape first and then in values; empty where they agree.

    Args:
        tolerance: largest difference allowed, relative to the largest expected value where that is above 1.
        names: what to call the two in the words.
    """
    if yours.shape != expected.shape:
        return f"{names[0]} has shape {tuple(yours.shape)}, {names[1]} {tuple(expected.shape)}."
    difference = (yours.double() - expected.double()).abs()
    allowed = tolerance * max(1.0, expected.double().abs().max().item() if expected.numel() else 0.0)
    if bool((difference <= allowed).all()):  # written so that nan fails too
        return ""
    if not difference.ndim:
        return f"{names[0]} is {yours.item():.6g}, {names[1]} {expected.item():.6g}."
    difference = difference.nan_to_num(nan=torch.inf)
    place = tuple(int(i) for i in torch.unravel_index(difference.argmax(), difference.shape))
    share = (difference > allowed).double().mean().item()
    return (
        f"{share:.0%} of the values differ by more than {allowed:.0e}; most at {place}: "
        f"{names[0]} {yours[place].item():.6g}, {names[1]} {expected[place].item():.6g}."
    )


@contextmanager
def _evaluating(function: object) -> Iterator[None]:
    """A module in evaluation mode, each part put back afterwards; a plain function as it is."""
    with ExitStack() as afterwards:
        for module in function.modules() if isinstance(function, nn.Module) else ():
            afterwards.callback(setattr, module, "training", module.training)
        if isinstance(function, nn.Module):
            function.eval()
        yield


def _as_tuple(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)
