"""The front-ends there are, and whether they could embed now: the built-in table, and other packages' entry points.

An entry point of the group :data:`GROUP` names a :class:`embeddings.frontend.FrontEndModule`. One that cannot be used is told
in a sentence where front-ends are listed, and disturbs no other.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from embeddings.errors import EmbeddingError, unforeseen
from embeddings.external.command_line import CommandLoader, command_module, parse_command, variable
from embeddings.frontend import FrontEnd, FrontEndModule
from embeddings.networks import specs
from embeddings.spec import FrontEndSpec, Obstacle, State, lacking_package
from embeddings.weights.files import PackageWeights, PublishedFile, WeightsFolder, find_weights

DEFAULT_FRONTEND = "musicnn"

GROUP = "player.frontends"
"""The entry points' group."""

OWN_PACKAGE = "embeddings."
"""Entry points into this package come from metadata older than its code: its own front-ends stand in the table."""

BUILT_IN = (
    FrontEndModule((specs.MUSICNN,), "embeddings.networks.musicnn:load_musicnn"),
    FrontEndModule(
        (specs.OPENL3_MEL256_512, specs.OPENL3_MEL256_6144, specs.OPENL3_MEL128_512, specs.OPENL3_MEL128_6144),
        "embeddings.networks.openl3:load_openl3",
    ),
    FrontEndModule((specs.CLMR,), "embeddings.networks.clmr:load_clmr"),
    FrontEndModule((specs.MEE,), "embeddings.networks.mee:load_mee"),
    FrontEndModule(
        (specs.JUKEBOX,),
        "embeddings.networks.jukebox:load_jukebox",
        most_workers=1,  # a second one would read and keep it all again
        start_seconds=1800.0,  # to read ten gigabytes from a slow disk
        patience_seconds=4 * 3600.0,  # without a GPU
    ),
    # mule-torch, which has it for PyTorch, is installed by the user in an environment of its own and never imported here.
    command_module(specs.MULE, "mule-torch is GPL-3.0-only, so it is never part of this player"),
)
"""This package's own, in the order in which they are listed."""


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
    yield from BUILT_IN
    taken = {spec.name for module in BUILT_IN for spec in module.specs}
    for found in map(_resolve, sorted(_installed(), key=lambda one: one.name)):
        if isinstance(found, BrokenFrontEnd):
            yield found
            continue
        names = {spec.name for spec in found.specs}
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
            if found.spec(name) is not None:
                return found
            names += [spec.name for spec in found.specs]
        elif found.name == name:
            raise EmbeddingError(f'the front-end "{name}" cannot be used: {found.reason}')
    raise EmbeddingError(f'there is no front-end "{name}"; choose one of: {", ".join(names)}')


def frontend_spec(name: str) -> FrontEndSpec:
    """The spec of the front-end ``name``.

    Raises:
        EmbeddingError: there is no front-end of that name, or it is broken.
    """
    spec = frontend_module(name).spec(name)
    assert spec is not None
    return spec


def load_frontend(name: str, weights: Path) -> FrontEnd:
    """Load the front-end ``name`` from its file of weights, which is verified first. Imports what it needs, as torch.

    Raises:
        EmbeddingError: no such front-end, or the file is missing, another one, or damaged.
    """
    return frontend_module(name).load(name, weights)


def _installed() -> Iterator[EntryPoint | BrokenFrontEnd]:
    """Other packages' entry points, each once, however many copies of a package are on the path."""
    seen: set[tuple[str, str]] = set()
    for distribution in distributions():
        try:
            declared = distribution.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001 - another package's damaged metadata fails in every way there is
            reason = f"its entry points cannot be read: {unforeseen(error)}"
            yield BrokenFrontEnd(str(distribution.metadata["Name"]), reason)
            continue
        for point in declared:
            if (point.name, point.value) not in seen and not point.value.startswith(OWN_PACKAGE):
                seen.add((point.name, point.value))
                yield point


def _resolve(point: EntryPoint | BrokenFrontEnd) -> FrontEndModule | BrokenFrontEnd:
    if isinstance(point, BrokenFrontEnd):
        return point
    try:
        module = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code may raise anything
        return BrokenFrontEnd(point.name, f"its entry point {point.value} failed: {unforeseen(error)}")
    if isinstance(module, FrontEndModule) and module.specs:
        return module
    return BrokenFrontEnd(point.name, f"its entry point {point.value} is no FrontEndModule with a spec")


# --- What could embed now ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Availability:
    """A front-end and whether it can be used.

    Attributes:
        name: as in ``--frontend``.
        dimension: length of one vector; 0 when the front-end is broken.
        state: its readiness, or the thing it lacks.
        weights: the path of its weights if they are there, else the name of the file wanted.
        licence: SPDX identifier of the weights' licence.
        fix: one sentence saying how to get the thing that is missing; empty if it is ready.
    """

    name: str
    dimension: int
    state: State
    weights: str
    licence: str
    fix: str


def available(cache: Path, musicnn_weights: Path | None = None) -> tuple[Availability, ...]:
    """All the front-ends, the default first, of variants the first; nothing is loaded or fetched.

    Args:
        cache: the folder of what was fetched.
        musicnn_weights: the file the user has named for musicnn, if any.
    """
    return tuple(_availability(known, cache, musicnn_weights) for known in known_frontends())


def _availability(known: FrontEndModule | BrokenFrontEnd, cache: Path, default_weights: Path | None) -> Availability:
    if isinstance(known, BrokenFrontEnd):
        return Availability(known.name, 0, State.BROKEN, "", "", known.reason)
    spec = known.specs[0]
    named = default_weights if spec.name == DEFAULT_FRONTEND else None
    try:
        found, trouble = find_weights(spec.weights, named=named, cache=cache), ""
    except EmbeddingError as error:
        found, trouble = None, str(error)
    if found is None:
        obstacle = Obstacle(State.WEIGHTS_MISSING, trouble or _how_to_get(spec, cache))
    else:
        obstacle = lacking_package(spec) or known.obstacle() or Obstacle(State.READY, "")
    own_affair = found is None or isinstance(spec.weights, PackageWeights)
    place = spec.weights.filename if own_affair else str(found)
    return Availability(spec.name, spec.dimension, obstacle.state, place, spec.licence, obstacle.fix)


def _how_to_get(spec: FrontEndSpec, cache: Path) -> str:
    if isinstance(spec.weights, PublishedFile) and spec.weights.git_blob is None:
        return spec.weights.by_hand(cache, "no hash is published, so they are not fetched")
    if isinstance(spec.weights, WeightsFolder):
        return spec.weights.how_to_get(cache)
    return f"player embed --frontend {spec.name} --fetch"


# --- Commands of the user's --------------------------------------------------------------------------------------


def name_command(frontend: str, command: str) -> None:
    """Let ``command`` run the front-end in this process and those that it starts, whatever was named before.

    Raises:
        EmbeddingError: there is no such front-end, no command runs it, or the command cannot be one.
    """
    _check_runs_a_command(frontend)
    parse_command(command)
    os.environ[variable(frontend)] = command


def name_default_command(frontend: str, command: str) -> None:
    """Let ``command`` run the front-end unless another was named; whether it could is seen when it is used.

    Raises:
        EmbeddingError: there is no such front-end, or no command runs it.
    """
    _check_runs_a_command(frontend)
    if not os.environ.get(variable(frontend), "").strip() and "\0" not in command:
        os.environ[variable(frontend)] = command


def _check_runs_a_command(frontend: str) -> None:
    if not isinstance(frontend_module(frontend).loader, CommandLoader):
        raise EmbeddingError(f"no command runs {frontend}: it is part of this player or of a package")
