"""Names of data sets, ``KIND:PATH``, and the ``key=value`` pairs that say how to read one."""

from pathlib import Path

from recommender.datasets.dataset import DatasetError

KINDS = ("mssd", "movielens", "cm100k", "emotify", "csv", "parquet")
"""Every kind that is read from files; ``log`` is the player's own and made by the player."""


def parse_name(name: str) -> tuple[str, Path]:
    """The kind and the path of ``KIND:PATH``; the path may hold further colons.

    Raises:
        DatasetError: there is no such kind, or no path.
    """
    kind, colon, path = name.partition(":")
    if not colon or not path.strip():
        raise DatasetError(f"{name!r} does not name a data set: write KIND:PATH, with KIND one of {', '.join(KINDS)}.")
    if kind not in KINDS:
        raise DatasetError(f"There is no kind of data set {kind!r}; there are {', '.join(KINDS)}.")
    return kind, Path(path).expanduser()


def parse_columns(text: str) -> dict[str, str]:
    """The pairs of ``listener=user,track=song,…``; raises DatasetError where one is not ``key=value`` or comes twice."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not key or not value:
            raise DatasetError(f"{part!r} says nothing about a column: write key=value, as in listener=user_id.")
        if key in pairs:
            raise DatasetError(f"The column of {key!r} is given twice, as {pairs[key]!r} and as {value!r}.")
        pairs[key] = value
    return pairs


def checked_options(kind: str, given: dict[str, str], allowed: tuple[str, ...]) -> dict[str, str]:
    """``given``, unless a key is not ``allowed`` for this kind; then DatasetError."""
    for key in given:
        if key not in allowed:
            known = ", ".join(allowed) if allowed else "none, for its columns are fixed"
            raise DatasetError(f"A data set of kind {kind} takes no {key!r} among its columns; it takes {known}.")
    return given
