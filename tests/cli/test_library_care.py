"""The commands of the library's care on a real library: search, figures, exclusions, private sessions, playlists, copies."""

import shutil

import pytest


def test_a_query_with_a_leading_minus_needs_no_care(demo, player):
    every = player("search", "--json").document
    genre = every[0]["genre"]
    found = player("search", f'-genre:"{genre}"', "-n", 5, "--json").document
    assert found
    assert all(track["genre"] != genre for track in found)
    assert player("search", "plays:many").code == 2


def test_excluded_tracks_are_on_no_station_and_can_be_found(demo, player):
    genre = player("search", "--json").document[0]["genre"]
    made = player("library", "exclude", f'genre:"{genre}"', "--json").document
    assert made["tracks"] == player("library", "stats", "--json").document["excluded"] > 0
    served = {one["track_id"] for one in player("next", "--station", "Evening", "-n", 20, "--json").document["items"]}
    excluded = {track["id"] for track in player("search", f'genre:"{genre}"', "--json").document}
    assert served
    assert not served & excluded
    assert player("library", "exclude", "--remove", made["id"], "--json").document == []


def test_an_exclusion_may_be_for_one_station_and_a_season(demo, player):
    made = player("library", "exclude", "a", "--station", "Evening", "--season", "12-01..12-26", "--json").document
    assert (made["station"], made["season"]) == ("Evening", "12-01..12-26")
    assert "12-01..12-26" in player("library", "exclude", "a", "--season", "winter").sentence
    assert "no field" in player("library", "exclude", "gerne:x").err


def test_private_sessions_and_forgetting(demo, player):
    track = demo.track_ids[0]
    assert player("private", "on", "--for", "hour", "--json").document["private"] is True
    player("feedback", "up", track, "--everywhere")
    assert player("private", "off", "--json").document["private"] is False
    assert player("search", "thumb:up", "--json").document == []
    player("feedback", "up", track, "--everywhere")
    assert [one["id"] for one in player("search", "thumb:up", "--json").document] == [track]
    told = player("forget", "--since", "1h", "--json").document
    assert told["events"] == 2
    assert player("search", "thumb:up", "--json").document == []
    player("forget", "--undo", told["id"])
    assert len(player("search", "thumb:up", "--json").document) == 1


@pytest.mark.parametrize(
    "arguments", [("forget",), ("forget", "--since", "soon"), ("private", "maybe"), ("private", "--for", "day")]
)
def test_wrong_usage_says_how(demo, player, arguments):
    answer = player(*arguments)
    assert (answer.code, answer.out) == (2, "")


def test_files_that_went_are_listed_and_found_again_where_they_lie_now(demo, player, tmp_path):
    music = tmp_path / "music"
    source = next(row.path for row in demo.rows)
    music.mkdir()
    shutil.copy(source, music / "one.opus")
    track = demo.rows[0].id
    player("scan", music)
    music.rename(tmp_path / "moved")
    assert player("library", "relocate", music, tmp_path / "moved", "--json").document == {"moved": 1, "missing": 0}
    assert "Nothing of the library" in player("library", "relocate", music, tmp_path).sentence
    assert player("library", "missing", "--json").document == []
    assert "not missing" in player("library", "forget", track).sentence


def test_playlists_come_and_go(demo, player, tmp_path):
    rows = demo.rows[:3]
    (tmp_path / "Road.m3u").write_text("\n".join([*(row.path for row in rows), "gone.mp3"]))
    taken = player("playlist", "import", tmp_path / "Road.m3u", "--json").document
    assert (taken["matched"], taken["missing"]) == (3, ["gone.mp3"])
    assert len(player("search", "playlist:road", "--json").document) == 3
    player("playlist", "save", "Other", "-playlist:road")
    assert len(player("search", "playlist:other", "--json").document) == len(demo.rows) - 3
    assert player("playlist", "export", "road", tmp_path / "out.xspf", "--json").document["tracks"] == 3
    assert player("playlist", "export", "road", tmp_path / "out.txt").code == 2
    player("playlist", "remove", "Road")
    assert [one["name"] for one in player("playlist", "list", "--json").document] == ["Other"]


def test_the_database_is_copied_checked_and_restored(demo, player, tmp_path):
    demo.close()
    assert player("db", "check", "--json").document["ok"] is True
    player("db", "backup", tmp_path / "copy.db")
    player("feedback", "never", 1)
    player("db", "restore", tmp_path / "copy.db")
    assert "never" not in player("history").out
    assert player("db", "upgrade", "--json").document["revision"]
