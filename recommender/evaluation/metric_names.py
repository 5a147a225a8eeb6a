"""The names of what is measured, in one list; imports nothing, so that a command line can print them at once."""

from enum import StrEnum

LIST_LENGTH = 10
"""Tracks of a state that count as recommended: a screenful, and the k of every measure @10."""


class Measure(StrEnum):
    """What is measured; the value is what a table calls it, :attr:`key` what JSON does."""

    PAIR_AUC = "pair AUC"
    PAIR_AUC_SESSION = "pair AUC, session"
    PAIR_AUC_EXPLICIT = "pair AUC, explicit"
    PAIR_AUC_IMPLICIT = "pair AUC, implicit"
    MRR_POSITIVE = "MRR +"
    MRR_NEGATIVE = "MRR -"
    NDCG = "NDCG@10"
    NDCG_REPEAT = "NDCG@10, repeat"
    NDCG_EXPLORE = "NDCG@10, explore"
    HIT_RATE = "HR@10"
    HIT_RATE_REPEAT = "HR@10, repeat"
    HIT_RATE_EXPLORE = "HR@10, explore"
    RECALL = "recall@10"
    RECALL_REPEAT = "recall@10, repeat"
    RECALL_EXPLORE = "recall@10, explore"
    GINI = "Gini@10"
    COVERAGE = "coverage@10"
    ENTROPY = "entropy@10"
    INTRA_LIST_DISTANCE = "intra-list distance@10"
    NOVELTY = "novelty@10"
    ARTIST_SPREAD = "artist spread@10"
    ACCURACY = "accuracy"
    PRECISION = "precision"
    TRUE_POSITIVE_RATE = "recall"
    AUROC = "AUROC"
    FALSE_POSITIVE_RATE = "FPR"
    ECE = "ECE"
    BRIER = "Brier"

    @property
    def key(self) -> str:
        """Name in JSON: lower case without spaces."""
        return _KEYS.get(self, str(self).lower().replace(", ", "_").replace(" ", "_").replace("-", "_"))

    @property
    def of_the_whole(self) -> bool:
        """Whether it is of all listeners together, so that no single listener has a value."""
        return self in _WHOLE

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller figure is the better one."""
        return self in _LOWER


_KEYS = {
    Measure.PAIR_AUC: "auc",
    Measure.PAIR_AUC_SESSION: "auc_session",
    Measure.PAIR_AUC_EXPLICIT: "auc_explicit",
    Measure.PAIR_AUC_IMPLICIT: "auc_implicit",
    Measure.MRR_POSITIVE: "mrr_positive",
    Measure.MRR_NEGATIVE: "mrr_negative",
    Measure.GINI: "gini",
    Measure.COVERAGE: "coverage",
    Measure.ENTROPY: "entropy",
    Measure.INTRA_LIST_DISTANCE: "intra_list_distance",
    Measure.NOVELTY: "novelty",
    Measure.ARTIST_SPREAD: "artist_spread",
}
_WHOLE = frozenset({Measure.GINI, Measure.COVERAGE, Measure.ENTROPY, Measure.ECE})
_LOWER = frozenset({Measure.MRR_NEGATIVE, Measure.GINI, Measure.FALSE_POSITIVE_RATE, Measure.ECE, Measure.BRIER})
