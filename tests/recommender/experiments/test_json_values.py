"""JSON without NaN, and where two documents differ."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.datasets.dataset import Problem
from recommender.evaluation.query_states import State
from recommender.experiments.json_values import differences, finite, json_object, same

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=4),
    max_leaves=12,
)


def test_what_is_not_finite_becomes_null_wherever_it_stands():
    document = finite({"a": [1.5, math.nan, {"b": np.float32("inf")}], "c": np.array([1.0, np.nan])})
    assert document == {"a": [1.5, None, {"b": None}], "c": [1.0, None]}
    json.dumps(document, allow_nan=False)


def test_dataclasses_enums_and_numpy_scalars_have_a_form():
    assert finite(Problem("f", 3, "bad")) == {"file": "f", "line": 3, "reason": "bad"}
    assert type(finite(State.FROZEN)) is str
    assert finite((np.int64(3), np.bool_(True), State.WALKING)) == [3, True, "walking"]


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}])
def test_what_has_no_form_is_refused(value):
    with pytest.raises(TypeError, match="no form"):
        finite(value)
    with pytest.raises(TypeError):
        json_object([1])


@pytest.mark.slow
@given(DOCUMENTS)
def test_a_document_is_the_same_as_itself_written_and_read(document):
    assert same(document, json.loads(json.dumps(document)))


@pytest.mark.slow
@given(DOCUMENTS, DOCUMENTS)
def test_documents_differ_exactly_when_their_text_does(first, second):
    def canonical(document):
        return json.dumps(_floats(document), sort_keys=True)

    # A missing key and a null are both "nothing"; whole floats and integers are equal numbers.
    if canonical(first) == canonical(second):
        assert same(first, second)
    assert same(first, second) == same(second, first)


def _floats(document):
    if isinstance(document, list):
        return [_floats(item) for item in document]
    if isinstance(document, dict):
        return {key: _floats(item) for key, item in document.items()}
    return document


def test_every_difference_is_named_by_its_place():
    first = {"rows": [{"mean": 0.5}, {"mean": 0.25}], "same": 1, "flag": True}
    second = {"rows": [{"mean": 0.5}, {"mean": 0.25 + 1e-16}, {"mean": 1.0}], "same": 1, "flag": 1}
    found = list(differences(first, second))
    assert [each.path for each in found] == ["rows[1].mean", "rows[2]", "flag"]
    assert str(found[0]) == "rows[1].mean: 0.25 → 0.2500000000000001"
