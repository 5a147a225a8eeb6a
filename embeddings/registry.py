"""The front-ends there are: this package's own, and those that other installed packages add by an entry point.

An entry point of the group :data:`GROUP` names a :class:`embeddings.spec.FrontEndModule`. One that cannot be used is told
in a sentence where front-ends are listed, and disturbs no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions

from embeddings.errors import EmbeddingError
from embeddings.spec import FrontEndCard, FrontEndModule

DEFAULT_FRONTEND = "musicnn"

GROUP = "player.frontends"
"""The entry points' group."""

OWN_PACKAGE = "embeddings."
"""What the values of this package's own entry points begin with."""

BUILT_IN = tuple(
    EntryPoint(name, f"{OWN_PACKAGE}{value}", GROUP)
    for name, value in (
        ("musicnn", "networks.musicnn_spec:MUSICNN_MODULE"),
        ("openl3", "networks.openl3_spec:OPENL3_MODULE"),
        ("clmr", "networks.clmr_spec:CLMR_MODULE"),
        ("mee", "networks.mee_spec:MEE_MODULE"),
        ("jukebox", "networks.jukebox_spec:JUKEBOX_MODULE"),
        ("mule", "external.mule_spec:MULE_MODULE"),
    )
)
"""This package's own, in the order in which they are listed. They are what ``pyproject.toml`` declares, and stand here too
because the metadata of a checkout may be older than its code, and because reading them takes no search through all that
is installed."""

MAX_REASON = 200
"""Characters of another package's own error that are passed on."""


@dataclass(frozen=True, slots=True)
class BrokenFrontEnd:
    """An entry point that names nothing usable.

    Attributes:
        name: the entry point's.
        reason: a clause.
    """

    name: str
    reason: str


def known_frontends() -> Iterator[FrontEndModule | BrokenFrontEnd]:
    """This package's own, in their order, then what else is installed, by name; read as they are asked for."""
    taken: set[str] = set()
    for found in _resolved():
        if isinstance(found, BrokenFrontEnd):
            yield found
            continue
        names = {card.name for card in found.cards}
        if taken & names:
            yield BrokenFrontEnd(min(taken & names), "another front-end has that name already")
            continue
        taken |= names
        yield found


def frontend_module(name: str) -> FrontEndModule:
    """The module that has the front-end ``name``.

    Raises:
        EmbeddingError: there is no front-end of that name, or it is broken.
    """
    names: list[str] = []
    for found in known_frontends():
        if isinstance(found, FrontEndModule):
            if found.card(name) is not None:
                return found
            names += [card.name for card in found.cards]
        elif found.name == name:
            raise EmbeddingError(f'the front-end "{name}" cannot be used: {found.reason}')
    raise EmbeddingError(f'there is no front-end "{name}"; choose one of: {", ".join(names)}')


def frontend_card(name: str) -> FrontEndCard:
    """The card of the front-end ``name``.

    Raises:
        EmbeddingError: there is no front-end of that name, or it is broken.
    """
    card = frontend_module(name).card(name)
    assert card is not None
    return card


def _resolved() -> Iterator[FrontEndModule | BrokenFrontEnd]:
    yield from map(_resolve, BUILT_IN)
    found = sorted(_installed(), key=lambda one: one.name)
    yield from (one if isinstance(one, BrokenFrontEnd) else _resolve(one) for one in found)


def _installed() -> Iterator[EntryPoint | BrokenFrontEnd]:
    """What other packages declare, each once, however many copies of a package are on the path."""
    seen: set[tuple[str, str]] = set()
    for distribution in distributions():
        try:
            declared = distribution.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001 - another package's damaged metadata fails in every way there is
            yield BrokenFrontEnd(str(distribution.metadata["Name"]), f"its entry points cannot be read: {_said(error)}")
            continue
        for point in declared:
            if (point.name, point.value) not in seen and not point.value.startswith(OWN_PACKAGE):
                seen.add((point.name, point.value))
                yield point


def _resolve(point: EntryPoint) -> FrontEndModule | BrokenFrontEnd:
    try:
        module = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code may raise anything
        return BrokenFrontEnd(point.name, f"its entry point {point.value} failed: {_said(error)}")
    if isinstance(module, FrontEndModule) and module.cards:
        return module
    return BrokenFrontEnd(point.name, f"its entry point {point.value} is no FrontEndModule with a card")


def _said(error: BaseException) -> str:
    """What was raised, printable, on one line and not endless."""
    words = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return "".join(character for character in words if character.isprintable())[:MAX_REASON]
