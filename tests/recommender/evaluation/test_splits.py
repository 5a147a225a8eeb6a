from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recommender.evaluation.protocol import evaluate
from recommender.evaluation.splits import (
    Part,
    split_at,
    split_global_time,
    split_listener_last,
    split_random,
    walk_forward,
)
from recommender.events import empty_log

shares = st.tuples(st.floats(0.05, 0.9), st.floats(0.0, 0.6))
SEEDS = st.integers(0, 3)


def all_splits(log, test=0.2, validation=0.1, seed=0):
    return [
        split_listener_last(log, test, validation),
        split_global_time(log, test, validation),
        split_random(log, seed, test, validation),
        *walk_forward(log, 3, validation),
    ]


def hold_for_all(check, logs):
    """Run a check on many logs and shares."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(logs, shares, SEEDS)
    def run(log, share, seed):
        for split in all_splits(log, *share, seed):
            check(split)

    run()


@pytest.mark.slow
def test_the_parts_partition_the_log(logs):
    def check(split):
        assert sum(split.count(part) for part in Part) == len(split.log)
        assert len(split.train) + len(split.validation) == len(split.past)
        assert len(split.test) == split.count(Part.TEST)
        if split.name != "walk-forward":
            assert split.count(Part.UNUSED) == 0

    hold_for_all(check, logs)


@pytest.mark.slow
def test_no_listener_has_a_test_row_earlier_than_or_beside_what_is_learned_from(logs):
    def check(split):
        if not split.ordered:
            return
        log = split.log
        for listener in np.unique(log.listener):
            own = log.listener == listener
            for early, late in ((Part.TRAIN, Part.VALIDATION), (Part.TRAIN, Part.TEST), (Part.VALIDATION, Part.TEST)):
                before, after = log.time[own & (split.part == early)], log.time[own & (split.part == late)]
                assert len(before) == 0 or len(after) == 0 or before.max() < after.min()

    hold_for_all(check, logs)


@pytest.mark.slow
def test_a_moment_of_one_listener_is_never_divided(logs):
    def check(split):
        if not split.ordered:
            return
        moments = np.stack([split.log.listener.astype(float), split.log.time])
        for moment in np.unique(moments, axis=1).T:
            assert len(np.unique(split.part[(moments == moment[:, None]).all(axis=0)])) == 1

    hold_for_all(check, logs)


@pytest.mark.slow
def test_a_cut_for_all_divides_no_moment_at_all(logs):
    def check(split):
        if split.name in ("global-time", "walk-forward"):
            for moment in np.unique(split.log.time):
                assert len(np.unique(split.part[split.log.time == moment])) == 1

    hold_for_all(check, logs)


@pytest.mark.slow
def test_a_random_split_never_divides_what_a_listener_said_about_a_track(logs):
    def check(split):
        if not split.ordered:
            answer = split.log.listener * split.log.tracks + split.log.track
            for each in np.unique(answer):
                assert len(np.unique(split.part[answer == each])) == 1

    hold_for_all(check, logs)


@pytest.mark.slow
def test_nothing_of_the_test_reaches_what_is_learned_from(logs, oracle):
    """Turning every test row into another leaves the fit, the histories and the moments of asking as they were."""

    def seen(split):
        model = oracle(np.zeros(split.log.tracks))
        evaluation = evaluate([model], split, resamples=2)
        histories = [
            (context.listener, context.history.track.tolist(), context.history.label.tolist(), context.time)
            for context in model.contexts
        ]
        columns = {name: column.tolist() for name, column in model.fitted.columns().items() if name != "share"}
        return columns, sorted({each[0]: each for each in histories}.values()), evaluation

    def check(split):
        log, test = split.log, split.part == Part.TEST
        turned = replace(
            log,
            track=np.where(test, (log.track + 1) % log.tracks, log.track),
            label=np.where(test, -log.label, log.label).astype(np.int8),
        )
        # A thumb just before the cut may foretell the end of its play behind it: then other rows are asked about.
        assume(np.array_equal(log.judged, turned.judged))
        before, after = seen(split), seen(replace(split, log=turned))
        assert before[:2] == after[:2]
        novelty = [row.mean for row in before[2].report.rows if row.metric == "novelty@10"]
        assert novelty == [row.mean for row in after[2].report.rows if row.metric == "novelty@10"]

    hold_for_all(check, logs)


@pytest.mark.slow
def test_early_stopping_sees_train_and_validation_and_no_test(logs, oracle):
    class Stopper(oracle):
        def fit_with_validation(self, train, validation):
            self.given = train, validation

    def check(split):
        model = Stopper(np.zeros(split.log.tracks))
        evaluate([model], split, resamples=2)
        assert model.fitted is None
        assert model.given[0].time.tolist() == split.train.time.tolist()
        assert model.given[1].track.tolist() == split.validation.track.tolist()

    hold_for_all(check, logs)


def test_rows_after_a_fold_are_never_input(make_random_log, oracle):
    log = make_random_log(1)
    for split in walk_forward(log, 4):
        model = oracle(np.zeros(log.tracks))
        evaluate([model], split, resamples=2)
        end = split.test.time.max()
        assert model.fitted.time.max() < split.test.time.min()
        assert all(context.history.time.max(initial=-1) < context.time <= end for context in model.contexts)


def test_the_shares_are_met_as_nearly_as_ties_allow(make_log):
    log = make_log([(t % 5, 0, t % 7, t, 1) for t in range(500)], tracks=7)
    for split in (split_listener_last(log), split_global_time(log), split_random(log, 0, 0.2, 0.1)):
        assert split.count(Part.TEST) == pytest.approx(100, abs=30 if split.name == "random" else 1)
    last = split_listener_last(log, 0.2, 0.25)
    for listener in range(5):
        own = last.part[log.listener == listener]
        assert [np.count_nonzero(own == part) for part in Part] == [0, 60, 20, 20]


def test_a_listener_of_one_moment_is_only_learned_from_and_the_split_says_so(make_log):
    rows = [(0, 0, t, 7, 1) for t in range(5)] + [(1, 0, t, 10 + t, 1) for t in range(5)]
    split = split_listener_last(make_log(rows, tracks=5))
    assert set(split.part[:5]) == {Part.TRAIN}
    assert split.count(Part.TEST) == 1
    assert "1 listener with rows of a single moment" in split.notes[1]


def test_the_cold_share_is_that_of_test_rows_about_new_tracks_and_listeners(make_log):
    rows = [(0, 0, 0, 0, 1), (0, 0, 1, 1, 1), (0, 0, 2, 2, 1), (1, 0, 0, 3, 1), (1, 0, 3, 4, 1)]
    split = split_at(make_log(rows, tracks=4), 2.0)
    assert split.cold_share == pytest.approx(2 / 3)
    assert split.cold_listener_share == pytest.approx(2 / 3)
    assert split_at(make_log(rows, tracks=4), 99.0).cold_share == 0.0


def test_a_walk_forward_tests_each_slice_once_on_all_before_it(make_log):
    log = make_log([(0, 0, 0, t, 1) for t in range(60)], tracks=1)
    splits = walk_forward(log, 5, validation=0.0)
    assert [(split.count(Part.TRAIN), split.count(Part.TEST)) for split in splits] == [
        (10 * i, 10) for i in range(1, 6)
    ]
    assert walk_forward(make_log([(0, 0, 0, 3, 1)] * 9, tracks=1)) == []


def test_the_seed_decides_a_random_split_and_it_is_labelled_unordered(make_random_log):
    log = make_random_log(3)
    first, again, other = (split_random(log, seed).part for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    split = split_random(log, 0)
    assert not split.ordered
    assert "no order in time" in split.notes[0]


def test_choosing_a_configuration_measures_on_validation_and_never_sees_the_test(make_random_log, oracle):
    split = split_listener_last(make_random_log(5), 0.3, 0.3)
    chosen = split.for_selection
    assert chosen.test.time.tolist() == split.validation.time.tolist()
    assert chosen.past.time.tolist() == split.train.time.tolist()
    model = oracle(np.zeros(split.log.tracks))
    evaluate([model], chosen, resamples=2)
    assert len(model.fitted) == split.count(Part.TRAIN)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_test_share_that_leaves_nothing_is_refused(make_random_log, share):
    for split in (split_listener_last, split_global_time):
        with pytest.raises(ValueError, match="test share"):
            split(make_random_log(0), share)
    with pytest.raises(ValueError, match="test share"):
        split_random(make_random_log(0), 0, share)


def test_an_empty_log_has_empty_parts():
    for split in all_splits(empty_log(3)):
        assert len(split.part) == 0
        assert split.cold_share == 0.0
