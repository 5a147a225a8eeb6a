"""Where a model comes from: trained in full, or on from an earlier one with what is new and some of what is old."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a model was trained."""

    FULL = "full"
    """From scratch, on all of the training part."""
    INCREMENTAL = "incremental"
    """From the weights of the model in use, on the rows since then and a replay of older ones."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a model came about.

    Attributes:
        kind: in full or incrementally.
        why: the rule that decided, in a few words.
        parent: version of the model whose weights it began with; empty for a full training.
        new_rows: rows the sequence learned from that the parent's had not seen; all of them for a full training.
        replayed_rows: older rows it learned from again; 0 for a full training.
        log_rows: rows of the whole log when it was trained.
        log_labels: of these, the labelled ones.
        full_rows: rows of the log at the last full training.
        trained_until: time (the log's clock) of the last row the sequence learned from.
    """

    kind: Kind
    why: str
    parent: str
    new_rows: int
    replayed_rows: int
    log_rows: int
    log_labels: int
    full_rows: int
    trained_until: float
