"""Two spellings of a name have one form; two names have two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.library.name_normalisation import album_key, artist_keys, plain, title_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yesterday", "Yesterday - Remastered 2009"),
        ("Yesterday", "YESTERDAY (2009 Remaster)"),
        ("Yesterday", "Yesterday - Remastered"),
        ("Halo", "Halo (feat. Jay-Z)"),
        ("Halo", "Halo ft. Jay-Z"),
        ("Halo", "Halo - feat. Jay-Z"),
        ("Halo", "Halo [with Jay-Z] - 2011 Remaster"),
        ("She's Leaving Home", "Shes Leaving Home - Mono Version"),
        ("Señorita", "Senorita"),
        ("Rock & Roll", "Rock and Roll"),
        ("Wall, Pt. 2", "Wall (Part 2)"),
        ("Группа крови", "Gruppa Krovi"),
        ("The End", "End"),
        ("It’s", "It's"),
        ("Ænima", "Aenima"),
    ],
)
def test_spellings_of_one_title(one, other):
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("title", "core", "versions"),
    [
        ("Creep - Live", "creep", {"live"}),
        ("Creep (Live at Wembley / Remastered 2011)", "creep", {"live"}),
        ("Creep (Acoustic) [Live]", "creep", {"acoustic", "live"}),
        ("Creep - Radio Edit", "creep", {"edit"}),
        ("Creep (Someone Remix)", "creep", {"remix"}),
        ("Creep - Stereo Mix 2019", "creep", set()),
        ("Live and Let Die", "live and let die", set()),
        ("Live", "live", set()),
        ("(Live)", "live", set()),
        ("Song (That Is Really Its Name)", "song that is really its name", set()),
        ("1979 - Remastered 2012", "1979", set()),
        ("!!!", "!!!", set()),
    ],
)
def test_a_version_is_told_from_the_title(title, core, versions):
    assert (title_key(title).core, title_key(title).versions) == (core, versions)


def test_numbers_are_part_of_a_title():
    assert title_key("Symphony No. 5: II. Andante").numbers == ("5", "ii")


def test_an_artist_is_found_by_the_whole_credit_first_and_by_each_name_in_it():
    assert artist_keys("Simon & Garfunkel") == ("simon and garfunkel", "simon", "garfunkel")
    assert artist_keys("Kino; Viktor Tsoi") == ("kino viktor tsoi", "kino", "viktor tsoi")
    assert artist_keys("Beatles, The")[0] == artist_keys("The Beatles")[0] == "beatles"


def test_an_edition_is_the_album():
    assert album_key("Help! (Super Deluxe Edition)") == album_key("HELP!")


@given(st.text(max_size=40))
def test_every_text_has_a_form_and_the_form_is_its_own(text):
    assert plain(plain(text)) == plain(text) or not plain(text).isascii()
    title_key(text)
    artist_keys(text)
