"""A dataclass from the values of a JSON file that anybody may have written: what does not fit is named, field by field.

Checksum(**values)               TypeError: __init__() got an unexpected keyword argument ..., or nothing at all
from_fields(Checksum, values)    FieldError: size is 'large', expected int; unknown colour
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from jaalnet_core.errors import SettingsError

Kind = TypeVar("Kind")


class FieldError(SettingsError, ValueError):
    """Values that a dataclass does not have, lacks, or holds as another type."""


def from_fields(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Make the dataclass `kind` of `values`; a list stands for a tuple, a whole number for a float.

    Raises:
        FieldError: unknown, missing and wrong-typed fields, each by its name, with what was found and expected.
    """
    if not isinstance(values, Mapping):
        raise FieldError(f"found {_shown(values)}, expected an object of named fields")
    hints, fields = get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    values = {name: _as_tuple(value, hints.get(name)) for name, value in values.items()}
    problems = [
        f"{name} is {_shown(values[name])}, expected {_words(hints[name])}"
        for name in fields
        if name in values and not _is(values[name], hints[name])
    ]
    problems += [f"missing {name}" for name, field in fields.items() if name not in values and _is_required(field)]
    if unknown := sorted(map(str, set(values) - set(fields))):
        problems.append(f"unknown {', '.join(unknown)[:200]}; written by another version?")
    if problems:
        raise FieldError("; ".join(problems[:5]))
    return kind(**values)


def _is(value: Any, hint: Any) -> bool:
    from typeguard import CollectionCheckStrategy, TypeCheckError, check_type  # late: `--help` answers at once

    if isinstance(value, bool) and not {bool, Any} & {hint, *get_args(hint)}:
        return False  # to Python True is a whole number, to JSON it is none
    try:
        check_type(value, hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        return False
    return True


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _as_tuple(value: Any, hint: Any) -> Any:
    return tuple(value) if isinstance(value, list) and get_origin(hint) is tuple else value


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _words(hint: Any) -> str:
    """A type for people: `'course' or 'published' or nothing`."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(one) for one in inside)
    if origin is Literal:
        return " or ".join(map(repr, inside))
    if origin is tuple:
        return f"a list of {_words(inside[0])}"
    if hint is type(None):
        return "nothing (null)"
    return getattr(hint, "__name__", str(hint))
