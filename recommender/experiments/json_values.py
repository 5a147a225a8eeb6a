"""JSON as this package writes it: without NaN, from dataclasses, enums and numpy's scalars; and where two documents differ."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import TypeAlias, TypeGuard

import numpy as np

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


def finite(value: object) -> Json:
    """The value as JSON: what is not finite becomes null, a dataclass an object, an enum its value.

    Raises:
        TypeError: for something that JSON has no form of.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _unfolded(value)


def _unfolded(value: object) -> Json:
    if isinstance(value, Enum):
        return finite(value.value)
    if isinstance(value, np.generic | np.ndarray):
        return finite(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: finite(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [finite(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def json_object(value: object) -> JsonObject:
    """The value as a JSON object; raises TypeError for what is none."""
    document = finite(value)
    if not is_object(document):
        raise TypeError(f"{type(value).__name__} is no JSON object")
    return document


def is_object(value: Json) -> TypeGuard[JsonObject]:
    """Whether it is an object."""
    return isinstance(value, Mapping)


def is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    """Whether it is a list."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def objects(value: Json) -> list[JsonObject]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if is_object(item)] if is_list(value) else []


def text(value: Json) -> str:
    """A string; empty for anything else."""
    return value if isinstance(value, str) else ""


def number(value: Json) -> float | None:
    """A number as a float; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def same(first: Json, second: Json) -> bool:
    """Whether two documents are equal to the last digit; lists and tuples are alike."""
    return next(differences(first, second), None) is None


@dataclass(frozen=True, slots=True)
class JsonDifference:
    """Where two documents differ: a path such as ``results[3].mean``, and what is there; None where there is nothing."""

    path: str
    first: Json
    second: Json

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.first)} → {_short(self.second)}"


def differences(first: Json, second: Json, path: str = "") -> Iterator[JsonDifference]:
    """Every place where two documents differ, in order."""
    if is_object(first) and is_object(second):
        for key in dict.fromkeys([*first, *second]):
            yield from differences(first.get(key), second.get(key), f"{path}.{key}" if path else key)
    elif is_list(first) and is_list(second):
        for place in range(max(len(first), len(second))):
            one = first[place] if place < len(first) else None
            other = second[place] if place < len(second) else None
            yield from differences(one, other, f"{path}[{place}]")
    elif first != second or isinstance(first, bool) != isinstance(second, bool):
        yield JsonDifference(path, first, second)


LONGEST = 60


def _short(value: Json) -> str:
    shown = "nothing" if value is None else str(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
