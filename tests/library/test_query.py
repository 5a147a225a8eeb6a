"""The query language: what it means, and where it points when it means nothing."""

import time
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.library.query import All, Either, Not, QueryError, Span, Thumbed, Words, leaves, parse_query


def local(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


A, B, C = Words("", "a"), Words("", "b"), Words("", "c")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", All(())),
        ("a", A),
        ("a b", All((A, B))),
        ("a and b", All((A, B))),
        ("a or b c", Either((A, All((B, C))))),
        ("a OR b | c", Either((A, B, C))),
        ("(a or b) c", All((Either((A, B)), C))),
        ("(a or b", Either((A, B))),
        ("-a", Not(Words("", "a", whole=True))),
        ("NOT a b", All((Not(Words("", "a", whole=True)), B))),
        ("-(a b)", Not(All((A, B)))),
        ("--a", Not(Not(Words("", "a", whole=True)))),
        ('"a b"', Words("", "a b", whole=True)),
        ('album:"a b', Words("album", "a b")),
        ("ARTIST:a", Words("artist", "a")),
        ("artist:", All(())),
        ("Artist - a", All((Words("", "Artist"), A))),
        ("re: a", All((Words("", "re"), A))),
        ("rock and", All((Words("", "rock"), Words("", "and")))),
        ("or", Words("", "or")),
        ("not a", All((Words("", "not"), A))),
        ("year:1994", Span("year", 1994, 1994)),
        ("year:1990..1999", Span("year", 1990, 1999)),
        ("year:1990-1999", Span("year", 1990, 1999)),
        ("year:1990-", Span("year", 1990)),
        ("year:-1995", Span("year", high=1995)),
        ("plays:0", Span("plays", 0, 0)),
        ("skips:>=3", Span("skips", 3)),
        ("length:20m..1h30m", Span("length", 1200, 5400)),
        ("length:>=3:30", Span("length", 210)),
        ("thumb:up", Thumbed("up")),
        ("played:never", Not(Span("played"))),
        ("added:1w", Span("added", high=7 * 86_400, ago=True)),
        ("added:2026-02", Span("added", local("2026-02-01"), local("2026-02-28T23:59:59.999999"))),
    ],
)  # fmt: skip
def test_a_query_means(text, meaning):
    assert parse_query(text) == meaning


@pytest.mark.parametrize(
    ("text", "word", "says"),
    [
        ("a artits:bjork", "artits:bjork", "did you mean artist:?"),
        ("year:soon x", "year:soon", "year:1990..1999"),
        ("a plays:many", "plays:many", "plays:>3"),
        ("added:<30", "added:<30", "added:<30d"),
        ("length:>", "length:>", "length:>20m"),
        ("year:..", "year:..", "year:1994"),
        ("thumb:sideways", "thumb:sideways", "up, down or none"),
        ("a b) c", ")", "never opened"),
        ("a or", "or", "write one after it"),
        ("| a", "|", "nothing before"),
        ("(" * 50, "(", "too deeply"),
        ("a" * 3000, "", "2000 characters"),
    ],
)
def test_what_means_nothing_is_pointed_at(text, word, says):
    with pytest.raises(QueryError, match="In the search") as caught:
        parse_query(text)
    assert says in str(caught.value)
    assert text[caught.value.start : caught.value.end] == word or not word


@given(st.text(max_size=40) | st.text(st.sampled_from('ab()"-:|<>. 19orNOTyear'), max_size=40))
def test_every_text_is_a_query_or_a_sentence(text):
    with suppress(QueryError):
        leaves(parse_query(text))


NAMES = st.sampled_from(["a", "b", "c"])
QUERIES = st.recursive(
    NAMES.map(lambda name: Words("", name, whole=True)),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Either(tuple(parts)))
    ),
    max_leaves=6,
)


def written(query) -> str:
    match query:
        case All(parts):
            return "(" + " ".join(map(written, parts)) + ")"
        case Either(parts):
            return "(" + " or ".join(map(written, parts)) + ")"
        case Not(part):
            return f"-{written(part)}"
        case _:
            return f'"{query.text}"'


@given(QUERIES)
def test_a_query_that_is_written_out_means_the_same(query):
    assert parse_query(written(query)) == query


def test_ages_are_of_the_moment_they_are_asked():
    span = parse_query("played:<2d")
    assert span.ago
    assert span.high < 2 * 86_400 < time.time()
