"""Answers to the exercises of lesson 4."""

from __future__ import annotations

import torch
from cases.lesson04_blocks import GATED_RESIDUAL, GLOBAL_CONTEXT
from exercise_cases import Cases, Fault
from torch.nn import functional

from jaalnet_core.attention import explicit_attention, fused_attention


def by_exponentials(scores):
    powers = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)


def query_by_query(scores):
    shares = torch.zeros_like(scores)
    for picture in range(scores.shape[0]):
        for query in range(scores.shape[2]):
            shares[picture, :, query] = functional.softmax(scores[picture, :, query], dim=0)
    return shares


SHARES = Cases(
    right={"by exponentials": by_exponentials, "query by query": query_by_query},
    wrong={
        "last axis": Fault(lambda scores: scores.softmax(-1), "a row belongs to one key here"),
        "batch axis": Fault(lambda scores: scores.softmax(0), "the pictures of the batch share out"),
        "all together": Fault(lambda scores: scores.flatten(1).softmax(1).view_as(scores), "of a picture together sum"),
        "no exponential": Fault(lambda scores: scores / scores.sum(1, keepdim=True), "without the exponential"),
        "sigmoid": Fault(torch.sigmoid, "squashes each score on its own"),
        "logarithms": Fault(lambda scores: scores.log_softmax(1), "those are logarithms"),
        "scaled": Fault(lambda scores: (scores / scores.shape[1] ** 0.5).softmax(1), "the scores were scaled first"),
        "transposed": Fault(lambda scores: scores.softmax(1).transpose(1, 2), "the result for scores of"),
        "overflowing": Fault(lambda scores: scores.exp() / scores.exp().sum(1, keepdim=True), "nan or infinite"),
    },
)


def in_matrices(features, query, key, value, gamma):
    rows = features.flatten(2).transpose(1, 2)  # (B, N, C)
    weights = torch.softmax((rows @ query.T) @ (rows @ key.T).mT, dim=2)
    return features + gamma * (weights @ (rows @ value.T)).transpose(1, 2).reshape(features.shape)


def position_by_position(features, query, key, value, gamma):
    out = features.clone()
    for b, y, x in torch.cartesian_prod(*(torch.arange(features.shape[axis]) for axis in (0, 2, 3))):
        asked = query @ features[b, :, y, x]
        scores = torch.einsum("d,dhw->hw", asked, torch.einsum("dc,chw->dhw", key, features[b]))
        shares = (scores - scores.max()).exp()
        mixed = (shares / shares.sum() * features[b]).sum(dim=(1, 2))
        out[b, :, y, x] += gamma * (value @ mixed)
    return out


def with_fused(features, query, key, value, gamma):
    parts = [torch.einsum("dc,bcn->bnd", matrix, features.flatten(2)) for matrix in (query, key, value)]
    return features + gamma * fused_attention(*parts).transpose(1, 2).reshape(features.shape)


def attention(
    shares=lambda scores: scores.softmax(-1),
    scale=lambda query: 1.0,
    mix=lambda weights, value: value @ weights.mT,
    add=lambda features, mixed, gamma: features + gamma * mixed,
    swap=False,
    valued=True,
    turn=lambda value: value,
):
    """Position attention that differs from the right one in one of its parts."""

    def answer(features, query, key, value, gamma):
        flat = features.flatten(2)
        scores = (query @ flat).mT @ (key @ flat) * scale(query)
        if swap:
            scores = scores.mT
        values = turn(value) @ flat if valued else flat
        return add(features, mix(shares(scores), values).reshape(features.shape), gamma)

    return answer


def along_rows(features, query, key, value, gamma):
    flat = features.flatten(2)
    scores = ((query @ flat).mT @ (key @ flat)).unflatten(2, features.shape[2:])
    return features + gamma * ((value @ flat) @ scores.softmax(-1).flatten(2).mT).reshape(features.shape)


POSITION = Cases(
    right={"in matrices": in_matrices, "position by position": position_by_position},
    wrong={
        "wrong axis": Fault(attention(shares=lambda scores: scores.softmax(1)), "over the positions that ask"),
        "features missing": Fault(attention(add=lambda x, mixed, g: g * mixed), "the features themselves are missing"),
        "gamma missing": Fault(attention(add=lambda x, mixed, g: x + mixed), "gamma is missing"),
        "gamma on features": Fault(attention(add=lambda x, mixed, g: g * x + mixed), "instead of the mixture"),
        "gamma on both": Fault(attention(add=lambda x, mixed, g: g * (x + mixed)), "features and mixture"),
        "square root": Fault(attention(scale=lambda query: len(query) ** -0.5), "divided by a square root"),
        "query and key exchanged": Fault(attention(swap=True), "have changed places"),
        "reshaped without exchange": Fault(
            attention(mix=lambda weights, value: (weights @ value.mT).contiguous()), "without exchanging the axes"
        ),
        "no value": Fault(attention(valued=False), "the features are mixed, expected the values"),
        "value transposed": Fault(attention(turn=lambda value: value.T), "value matrix is used transposed"),
        "along rows": Fault(along_rows, "one row of the map only"),
        "no softmax": Fault(attention(shares=lambda scores: scores), "there is no softmax"),
    },
    own={
        "fused": with_fused,
        "explicit": lambda x, *parts: explicit_attention(x.flatten(2), x.flatten(2), x.flatten(2)),
    },
)


def least_like(features, gamma):
    flat = features.flatten(2)
    weights = functional.softmin(flat @ flat.mT, dim=2)  # the row's maximum is the same in all its shares
    return torch.baddbmm(flat, weights, flat, alpha=gamma).reshape(features.shape)


def picture_by_picture(features, gamma):
    out = []
    for picture in features:
        rows = picture.reshape(len(picture), -1)
        gram = rows @ rows.T
        unlike = gram.max(dim=1).values[:, None] - gram
        powers = torch.exp(unlike - unlike.max())
        out.append(rows + gamma * (powers / powers.sum(dim=1, keepdim=True)) @ rows)
    return torch.stack(out).view_as(features)


def channels(
    turn=lambda gram: gram.amax(-1, keepdim=True) - gram,
    shares=lambda scores: scores.softmax(-1),
    compare=lambda flat: flat @ flat.mT,
    add=lambda features, mixed, gamma: features + gamma * mixed,
):
    """Channel attention that differs from the right one in one of its parts."""

    def answer(features, gamma):
        flat = features.flatten(2)
        return add(features, (shares(turn(compare(flat))) @ flat).reshape(features.shape), gamma)

    return answer


def of_positions(features, gamma):
    flat = features.flatten(2)
    places = flat.mT @ flat
    return features + gamma * (flat @ places.softmax(-1).mT).reshape(features.shape)


CHANNEL = Cases(
    right={"the least like": least_like, "picture by picture": picture_by_picture},
    wrong={
        "not turned": Fault(channels(turn=lambda gram: gram), "channel looks at those like itself"),
        "turned twice": Fault(
            channels(turn=lambda gram: gram - gram.amax(-1, keepdim=True)), "channel looks at those like itself"
        ),
        "wrong axis": Fault(channels(shares=lambda scores: scores.softmax(1)), "the channel that asks, must sum to 1"),
        "column maximum": Fault(
            channels(turn=lambda gram: gram.amax(1, keepdim=True) - gram), "that of each column, expected"
        ),
        "positions": Fault(of_positions, "positions are compared, expected channels"),
        "features missing": Fault(channels(add=lambda x, mixed, g: g * mixed), "the features themselves are missing"),
        "gamma missing": Fault(channels(add=lambda x, mixed, g: x + mixed), "gamma is missing"),
        "gamma on features": Fault(channels(add=lambda x, mixed, g: g * x + mixed), "instead of the mixture"),
        "averaged": Fault(channels(compare=lambda flat: flat @ flat.mT / flat.shape[2]), "by the number of positions"),
        "no softmax": Fault(channels(shares=lambda scores: scores), "there is no softmax"),
        "transposed": Fault(channels(shares=lambda scores: scores.softmax(-1).mT), "the weights are used transposed"),
        "one matrix for the batch": Fault(
            channels(compare=lambda flat: (flat @ flat.mT).sum(0, keepdim=True)), "share one Gram matrix"
        ),
    },
)

CASES = {"4.1": SHARES, "4.2": POSITION, "4.3": CHANNEL, "4.4": GATED_RESIDUAL, "4.5": GLOBAL_CONTEXT}
