import pytest

from recommender.training.checkpoints import EpochReport, Position, StepReport
from recommender.training.progress import TerminalProgress


@pytest.fixture
def told():
    lines, now = [], [100.0]
    return TerminalProgress(lines.append, lambda: now[0]), lines, now


def report(**changes):
    plain = {"epoch": 2, "epochs": 9, "step": 1200, "loss": 0.5, "seen": 3000}
    return StepReport(**(plain | {"steps": 100, "tokens": 2000, "seconds": 50.0} | changes))


def test_a_line_says_where_the_epoch_is_how_fast_it_goes_and_what_is_left(told):
    teller, lines, _ = told
    teller.step(report(), 12_000)
    # 9,000 rows are left, at 40 a second.
    assert lines == [
        "epoch 2 of at most 9, 25.0%: step 1,200, loss 0.5000, 2.0 steps/s, 40 tokens/s, 4 min left of the epoch"
    ]


def test_lines_come_every_few_seconds_only(told):
    teller, lines, now = told
    for _ in range(20):
        teller.step(report(), 12_000)
        now[0] += 1.0
    assert len(lines) == 4


def test_at_the_end_of_an_epoch_nothing_is_left(told):
    teller, lines, _ = told
    teller.step(report(), 3000)
    assert lines[0].endswith("40 tokens/s")


def test_epochs_and_restorations_are_always_told(told):
    teller, lines, _ = told
    teller.epoch(EpochReport(1, 9, 0.5, None, None, seconds=7300.0))
    teller.epoch(EpochReport(2, 9, 0.25, 0.75, None, seconds=12.0))
    teller.restored(Position(epoch=3, step=77))
    teller.restored(Position(finished=True, reports=(None, None)))
    assert lines == [
        "epoch 1 done in 2.0 h: loss 0.5000, no pairs to validate on",
        "epoch 2 done in 12 s: loss 0.2500, pair AUC 0.7500",
        "goes on in epoch 3 after step 77",
        "already finished after 2 epochs",
    ]
