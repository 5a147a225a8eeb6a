"""Records as scripts read them."""

from recommender.experiments.json_values import Json, is_object
from recommender.experiments.records import Record
from recommender.experiments.store import RunStore


def document(record: Record, store: RunStore) -> dict[str, Json]:
    """One run with its results at the top level, as ``--json`` prints it."""
    return {
        **summary(record),
        "seconds": record.seconds,
        "configuration": record.configuration,
        "versions": record.versions,
        "machine": record.machine,
        "fingerprint": record.fingerprint,
        "dataset": record.dataset,
        **record.results,
        "figures": [str(store.figure_path(record, figure)) for figure in record.figures],
    }


def summary(record: Record) -> dict[str, Json]:
    """What a list shows of a run."""
    name = record.configuration.get("dataset")
    conclusion = record.results.get("conclusion")
    return {
        "id": record.id,
        "kind": record.kind,
        "created": record.created,
        "finished": record.finished,
        "dataset_name": name if isinstance(name, str) else "",
        "events": record.dataset.get("events") if is_object(record.dataset) else None,
        "conclusion": conclusion if isinstance(conclusion, str) else "",
        "repeats": record.repeats or None,
    }
