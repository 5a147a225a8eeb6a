"""``player models``: the trained versions – what each is, how two differ, and which one serves."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from player.cli.options import DataDir, Home, Json, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from recommender.models.model_card import Lineage, Metric, ModelCard
    from recommender.models.registry import Registry

MODEL = "model"
"""The model itself among the metrics of its card."""
models_app = typer.Typer(
    help="Trained versions: list them, look into them, choose another.", invoke_without_command=True
)
Version = Annotated[str, typer.Argument(help="As `player models` lists it; its beginning will do.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models_app.callback()(models)
    models_app.command("list")(list_models)
    models_app.command("show")(show)
    models_app.command("diff")(diff)
    models_app.command("promote")(promote)
    models_app.command("rollback")(roll_back)
    app.add_typer(models_app, name="models")


def models(context: typer.Context, data_dir: DataDir = None, json: Json = False) -> None:
    """List the trained versions, look into them, or choose another."""
    if context.invoked_subcommand is None:
        list_models(data_dir, json)


def list_models(data_dir: DataDir = None, json: Json = False) -> None:
    """List every trained version, with what it measured and whether it serves."""
    with opened(data_dir) as home:
        registry, current = _registry(home)
        cards = registry.versions()
        if json:
            emit_json([_summary(card, current) for card in cards])
            return
        for card in cards:
            auc = _means(card.metrics, MODEL).get("auc")
            mark = "▶" if card.version == current else " "
            figure = "      " if auc is None else f"AUC {auc:.3f}"
            print(f"{mark} {card.version}  {figure}  {card.reason}")
        if not cards:
            say("No model was trained yet; `player retrain` makes one.")


def show(version: Version, data_dir: DataDir = None, json: Json = False) -> None:
    """Show what a version was trained with and on, what counts in it, and what it measured beside the baselines."""
    with opened(data_dir) as home:
        registry, current = _registry(home)
        card = _find(registry, version)
        if json:
            emit_json(_document(card, current))
            return
        serves = "serves" if card.version == current else "does not serve"
        print(f"Version {card.version}, made {card.created}, {serves}")
        print(f"  {card.reason}")
        print(f"  {lineage_words(card.lineage)}")
        print(f"  learned from {card.rows} labelled events with {card.frontend}")
        for name, value in _configuration(card).items():
            print(f"  {name:<28} {value}")
        print_blend(card)
        for name in dict.fromkeys(metric.model for metric in card.metrics):
            auc = next((m for m in card.metrics if m.model == name and _key(m.metric) == "auc"), None)
            if auc is not None:
                bounds = "" if auc.low is None or auc.high is None else f"  ({auc.low:.2f}–{auc.high:.2f})"
                print(f"  pair AUC {auc.mean:.3f}{bounds}  {name}")


def diff(first: Version, second: Version, data_dir: DataDir = None, json: Json = False) -> None:
    """Say how two versions differ: settings, what counts, and what each measured on the newest feedback of its day."""
    with opened(data_dir) as home:
        registry, _ = _registry(home)
        one, other = _find(registry, first), _find(registry, second)
    differences = {
        "configuration": _changes(_configuration(one), _configuration(other)),
        "blend": _changes(_blend(one), _blend(other)),
        "update": _changes(asdict(one.update), asdict(other.update)),
        "lineage": _changes(asdict(one.lineage), asdict(other.lineage)),
        "metrics": _changes(_means(one.metrics, MODEL), _means(other.metrics, MODEL)),
        "facts": _changes(_facts(one), _facts(other)),
    }
    same_feedback = one.seen_until == other.seen_until
    if json:
        emit_json(
            {"first": one.version, "second": other.version, "same_feedback": same_feedback, "differences": differences}
        )
        return
    print(f"{one.version} → {other.version}")
    for part, changes in differences.items():
        for change in changes:
            print(f"  {part}: {change['name']}  {_told(change['first'])} → {_told(change['second'])}")
    if not any(differences.values()):
        print("  no difference but the moment they were made")
    if not same_feedback:
        print("  Each was measured on the newest feedback of its day, so their figures are not of one test.")


def promote(version: Version, data_dir: DataDir = None) -> None:
    """Let a version serve."""
    from recommender.models.registry import ModelError

    with opened(data_dir) as home:
        registry, _ = _registry(home)
        chosen = _find(registry, version).version
        try:
            registry.promote(chosen)
        except ModelError as error:
            raise PlayerError(str(error)) from error
        print(f"Version {chosen} serves from now on.")


def roll_back(data_dir: DataDir = None) -> None:
    """Let the promoted version before the current one serve again."""
    from recommender.models.registry import ModelError

    with opened(data_dir) as home:
        registry, _ = _registry(home)
        try:
            card = registry.roll_back()
        except ModelError as error:
            raise PlayerError(str(error)) from error
        print(f"Version {card.version} serves again.")


def lineage_words(lineage: "Lineage") -> str:
    """Descent of a model, in one line."""
    if not lineage.parent:
        return f"Trained in full: {lineage.why}; the sequence learned from {lineage.new_rows} events"
    return (
        f"Trained incrementally: {lineage.why}; the sequence went on from {lineage.parent} with {lineage.new_rows} new and "
        f"{lineage.replayed_rows} replayed events"
    )


def print_blend(card: "ModelCard") -> None:
    """Tell what counts in a model's score, the weightiest first."""
    from recommender.models.blend import Component

    words = {
        Component.SEED: "likeness to the station",
        Component.CLEP: "your taste in sound (CLEP)",
        Component.SEQUENCE: "what goes with what you just heard",
        Component.LIKING: "your own earlier verdict",
        Component.HEARD: "known tracks",
        Component.REST: "tracks rested longer",
        Component.PLAYS: "tracks heard often",
        Component.HEAD: "your latest feedback (the running update)",
        Component.HABIT: "your habits: what you heard out and skipped",
    }
    parts = sorted(zip(Component, card.blend.weights, strict=True), key=lambda part: -abs(part[1]))
    fitted = f"fitted on {card.blend.rows} events" if card.blend.rows else "prior weights, too little to fit"
    print(f"What counts for you ({fitted}):")
    for column, weight in parts:
        print(f"  {weight:+.2f}  {words[column]}")
    print(
        f"The running update halves the weight of an answer after {card.update.half_life:g} more, and one answer moves it "
        f"with a variance of {card.update.weight_variance:g}."
    )


def _registry(home: Home) -> "tuple[Registry, str | None]":
    """The models, and the version that serves; a pointer that cannot be read is told and passed over."""
    from recommender.models.registry import ModelError, Registry

    registry = Registry(home.paths.models)
    try:
        return registry, registry.current()
    except ModelError as error:
        say(f"player: {error}")
        return registry, None


def _find(registry: "Registry", version: str) -> "ModelCard":
    """The one version that begins like this."""
    from recommender.models.registry import ModelError

    found = [card for card in registry.versions() if version and card.version.startswith(version)]
    if len(found) > 1:
        raise PlayerError(f"{len(found)} versions begin with {version}; write more of it.")
    if found:
        return found[0]
    try:
        return registry.card(version)
    except ModelError as error:
        raise PlayerError(str(error)) from error


def _key(metric: str) -> str:
    """The key of a measure on a card; a card may name one that this version does not know."""
    from recommender.evaluation.metric_names import Measure

    return Measure(metric).key if metric in set(Measure) else metric


def _means(metrics: "Iterable[Metric]", model: str) -> dict[str, object]:
    return {_key(metric.metric): metric.mean for metric in metrics if metric.model == model}


def _summary(card: "ModelCard", current: str | None) -> dict[str, object]:
    return {
        "version": card.version,
        "created": card.created,
        "current": card.version == current,
        "promoted": card.promoted,
        "reason": card.reason,
        "rows": card.rows,
        "metrics": _means(card.metrics, MODEL),
    }


def _document(card: "ModelCard", current: str | None) -> dict[str, object]:
    others = dict.fromkeys(metric.model for metric in card.metrics if metric.model != MODEL)
    return {
        **_summary(card, current),
        "metrics": _figures(card, MODEL),
        "baselines": {name: _figures(card, name) for name in others},
        "frontend": asdict(card.frontend),
        "configuration": _configuration(card),
        "blend": _blend(card),
        "update": asdict(card.update),
        "lineage": asdict(card.lineage),
        "libraries": dict(card.libraries),
        "seen_until": card.seen_until,
        "sha256": card.sha256,
    }


def _figures(card: "ModelCard", model: str) -> dict[str, object]:
    return {_key(m.metric): {"mean": m.mean, "low": m.low, "high": m.high} for m in card.metrics if m.model == model}


def _configuration(card: "ModelCard") -> dict[str, object]:
    """Every setting by its path, such as ``clep.margin``."""
    return dict(_leaves(asdict(card.configuration)))


def _leaves(tree: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(cast("Mapping[str, object]", value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _blend(card: "ModelCard") -> dict[str, object]:
    from recommender.models.blend import Component

    weights = dict[str, object](zip((column.name.lower() for column in Component), card.blend.weights, strict=True))
    return {"rows": card.blend.rows, **weights}


def _facts(card: "ModelCard") -> dict[str, object]:
    return {"frontend": str(card.frontend), "rows": card.rows, "promoted": card.promoted, **dict(card.libraries)}


def _changes(one: Mapping[str, object], other: Mapping[str, object]) -> list[dict[str, object]]:
    names = dict.fromkeys([*one, *other])
    return [
        {"name": name, "first": one.get(name), "second": other.get(name)}
        for name in names
        if one.get(name) != other.get(name)
    ]


def _told(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
