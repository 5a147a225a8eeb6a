"""Items of JSON too large to hold: the same as json.loads gives, with the right lines, whatever the chunks."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from player.integrations.history import json_stream
from player.integrations.history.archive import Export, ExportError
from player.integrations.history.json_stream import json_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def items(path, text):
    path.write_text(text, "utf-8")
    (part,) = Export(path).parts()
    return list(json_items(part))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, max_size=6), indent=st.sampled_from([None, 1]), chunk=st.integers(1, 9))
def test_an_array_read_in_pieces_is_the_array(tmp_path, monkeypatch, values, indent, chunk):
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    found = items(tmp_path / "a.json", text)
    assert [value for _, value in found] == values
    if indent is not None:
        lines = text.split("\n")
        assert all(
            lines[line - 1].strip().startswith(json.dumps(value, ensure_ascii=False)[:1]) for line, value in found
        )


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=6), chunk=st.integers(1, 9))
def test_lines_read_in_pieces_are_the_lines(tmp_path, monkeypatch, values, chunk):
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    found = items(tmp_path / "a.jsonl", "\n".join(json.dumps(value) for value in values))
    assert found == list(enumerate(values, 1))


def test_a_line_that_is_no_json_comes_as_an_error_and_the_next_one_is_read(tmp_path):
    (_, one), (line, bad), (_, other) = items(tmp_path / "a.jsonl", '{"a": 1}\n{"a": \n\n{"a": 3}\n')[:3]
    assert (one, other) == ({"a": 1}, {"a": 3})
    assert line == 2
    assert isinstance(bad, ValueError)


def test_a_line_too_long_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK", 64)
    monkeypatch.setattr(json_stream, "_LONGEST_ITEM", 1000)
    (_, bad), (line, good) = items(tmp_path / "a.jsonl", f'{{"a": "{"x" * 5000}"}}\n{{"a": 2}}\n')
    assert isinstance(bad, ValueError)
    assert (line, good) == (2, {"a": 2})


@pytest.mark.parametrize("text", ['[{"a": 1}', "[1 2]", "[" * 100_000, '[{"a": ' + "9" * 5000 + "}]", '["\\uZZ"]'])
def test_a_damaged_array_is_one_sentence(tmp_path, text):
    with pytest.raises(ExportError, match=r"^a\.json, line 1: .*Fetch the export anew\.$"):
        items(tmp_path / "a.json", text)


def test_a_byte_order_mark_is_no_part_of_it(tmp_path):
    assert items(tmp_path / "a.json", "\ufeff[1]") == [(1, 1)]
