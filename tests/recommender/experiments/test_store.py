"""Records of runs: kept whole, found by a few digits, read as untrusted, gone on with after an interruption."""

import json

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from recommender.experiments.records import ExperimentError, record_from_json, record_to_json
from recommender.experiments.store import Drawing, Finding, conduct

FINGERPRINT = "a" * 64
CONFIGURATION = {"seeds": [0, 1], "models": ["random"], "rate": 0.1}


def study(workspace):
    return Finding({"results": [{"mean": 0.1 + 0.2}]}, {"events": 3}, (Drawing("dot", "A dot", draw),))


def draw(path):
    path.write_bytes(b"\x89PNG picture")


def run(store, what=study, configuration=CONFIGURATION, **options):
    return conduct(store, "baselines", configuration, FINGERPRINT, what, **options)


def test_a_run_is_kept_and_read_back_to_the_last_digit(store):
    record = run(store)
    assert store.read(record.id) == record
    assert record_from_json(record_to_json(record)) == record
    assert record.results["results"][0]["mean"] == 0.1 + 0.2
    assert record.finished
    (figure,) = record.figures
    assert store.figure_path(record, figure).read_bytes() == b"\x89PNG picture"
    assert record.versions["numpy"]
    assert {path.name for path in (store.root / record.id).iterdir()} == {"record.json", "dot.png", "lock"}


def test_a_study_sums_in_one_thread_whatever_the_machine_offers(store):
    """In several, the last digit of a sum follows their number, and a repetition elsewhere would disagree."""
    np.ones((2, 2)) @ np.ones((2, 2))  # so that there is a library to look at
    threads = []

    def look(workspace):
        threads.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
        return study(workspace)

    run(store, look)
    assert threads
    assert set(threads) == {1}


def test_runs_are_listed_newest_first_and_found_by_their_first_digits(store):
    first, second = run(store), run(store)
    assert [each.id for each in store.listing().records] == [second.id, first.id]
    assert store.find(first.id[:7]).id == first.id


def test_a_prefix_of_several_asks_for_more_digits(store):
    for name in ("abc00000", "abc11111"):
        (store.root / name).mkdir(parents=True)
    with pytest.raises(ExperimentError, match=r"abc00000, abc11111.*more digits"):
        store.find("abc")


@pytest.mark.parametrize("name", ["", "../../etc", "XYZ", "0123456789"])
def test_what_is_no_id_is_refused(store, name):
    with pytest.raises(ExperimentError, match="no id of an experiment"):
        store.find(name)


def test_an_unknown_id_is_said_to_be_unknown(store):
    with pytest.raises(ExperimentError, match="no experiment 0123"):
        store.find("0123")


def damage(record_file, **changes):
    record_file.write_text(json.dumps({**json.loads(record_file.read_text()), **changes}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 99}, "format 99"),
        ({"seconds": -1.0}, "seconds"),
        ({"kind": "../x"}, "kind"),
        ({"results": [1]}, "results"),
        ({"fingerprint": "short"}, "fingerprint"),
        ({"figures": [{"title": "x", "file": "../../../etc/passwd.png"}]}, "file"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_record_that_was_tampered_with_is_one_sentence_and_the_others_still_list(store, changes, says):
    good, bad = run(store), run(store)
    damage(store.root / bad.id / "record.json", **changes)
    listing = store.listing()
    assert [each.id for each in listing.records] == [good.id]
    (problem,) = listing.problems
    assert bad.id in problem
    assert says in problem
    assert "\n" not in problem


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}'])
def test_a_damaged_file_is_named(store, content):
    record = run(store)
    (store.root / record.id / "record.json").write_bytes(content)
    with pytest.raises(ExperimentError, match=f"{record.id} is damaged"):
        store.find(record.id)


def test_a_folder_without_a_record_and_a_renamed_one_are_named(store):
    record = run(store)
    (store.root / record.id).rename(store.root / "00000000")
    (store.root / "11111111").mkdir()
    problems = " ".join(store.listing().problems)
    assert "holds another one" in problems
    assert "11111111 has no record" in problems


class StopError(Exception):
    pass


def broken(workspace):
    workspace.save("first", b"computed")
    raise StopError


def continued(workspace):
    return Finding({"found": (workspace.load("first") or b"nothing").decode()}, {})


def test_an_interrupted_run_is_gone_on_with_by_the_same_question(store):
    with pytest.raises(StopError):
        run(store, broken)
    (unfinished,) = store.listing().records
    assert not unfinished.finished
    done = run(store, continued)
    assert (done.id, done.results) == (unfinished.id, {"found": "computed"})
    assert not (store.root / done.id / "parts").exists()
    assert run(store, continued).results == {"found": "nothing"}


@pytest.mark.parametrize("other", [{"configuration": {**CONFIGURATION, "rate": 0.2}}, {"resume": False}])
def test_another_question_or_a_repetition_starts_anew(store, other):
    with pytest.raises(StopError):
        run(store, broken)
    assert run(store, continued, **other).results == {"found": "nothing"}


def test_other_versions_of_the_libraries_start_anew(store, monkeypatch):
    with pytest.raises(StopError):
        run(store, broken)
    monkeypatch.setattr("recommender.experiments.store.versions", lambda: {"python": "9.9"})
    assert run(store, continued).results == {"found": "nothing"}


def test_a_run_that_computed_nothing_leaves_nothing(store):
    def failing(_workspace):
        raise StopError

    with pytest.raises(StopError):
        run(store, failing)
    assert store.listing().records == ()


def test_the_same_run_in_two_processes_is_refused(store):
    with pytest.raises(StopError):
        run(store, broken)

    def meanwhile(workspace):
        with pytest.raises(ExperimentError, match="running in another process"):
            run(store, continued)
        return Finding({}, {})

    run(store, meanwhile)


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path):
    from recommender.experiments.store import RunStore

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExperimentError, match="cannot be stored"):
        run(RunStore(tmp_path / "file"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden"])
def test_a_part_has_a_plain_name(store, name):
    with pytest.raises(ValueError, match="name a part"):
        run(store, lambda workspace: workspace.save(name, b""))
