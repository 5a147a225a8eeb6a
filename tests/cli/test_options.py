"""What commands share: documents that every JSON reader takes."""

import json

import numpy as np

from player.cli.options import emit_json, emit_line, say


def test_a_number_that_is_not_finite_becomes_null_however_deep(capsys):
    emit_json({"a": float("nan"), "b": [float("inf"), {"c": (np.float64("-inf"), np.float32("nan"))}], "d": 1.5})
    assert json.loads(capsys.readouterr().out, parse_constant=lambda name: name) == {
        "a": None,
        "b": [None, {"c": [None, None]}],
        "d": 1.5,
    }


def test_numbers_of_numpy_are_plain_numbers(capsys):
    emit_json({"count": np.int64(7), "share": np.float64(0.25), "yes": np.bool_(1), "text": "wörds"})
    assert json.loads(capsys.readouterr().out) == {"count": 7, "share": 0.25, "yes": True, "text": "wörds"}


def test_a_document_is_one_line_and_words_for_people_go_elsewhere(capsys):
    emit_line({"text": "two\nlines"})
    say("for people")
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert said.err == "for people\n"
