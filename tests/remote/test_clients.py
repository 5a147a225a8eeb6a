"""The protocol with the clients that people use: Debian's mpc, and python-mpd2."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import mpd
import pytest

from player.feedback.log_reader import read_event_lines
from player.remote.address import socket_path
from player.stations.pins import load_pins

needs_mpc = pytest.mark.skipif(shutil.which("mpc") is None, reason="mpc is not installed (Debian: apt-get install mpc)")


@pytest.fixture
def client(running):
    connected = mpd.MPDClient()
    connected.connect(str(socket_path(running.home.paths.data)), 0)
    yield connected
    connected.disconnect()


@pytest.fixture
def mpc(running):
    def call(*words):
        host = f"--host={socket_path(running.home.paths.data)}"
        done = subprocess.run(["mpc", host, *words], capture_output=True, text=True, timeout=30, check=False)
        return (done.stdout or done.stderr).splitlines()

    return call


def told(running, kind):
    return [line.event.track_id for line in read_event_lines(running.home.database, None) if line.event.kind == kind]


def test_state_says_what_plays_and_the_queue_begins_with_it(running, client):
    status, song = client.status(), client.currentsong()
    now = running.snapshot().now
    assert (status["state"], song["title"], song["id"]) == ("play", now.track.title, status["songid"])
    queue = client.playlistinfo()
    assert queue[0] == song
    assert [entry["title"] for entry in queue[1:]] == [row.track.title for row in running.snapshot().queue]
    assert client.plchanges(status["playlist"]) == []


def test_skip_pause_seek_and_volume_are_the_players_own_commands(running, client):
    first, second = (client.playlistinfo()[place]["title"] for place in (0, 1))
    client.next()
    skipped = told(running, "skip")
    assert [running.home.rows[running.home.track_ids.index(track)].title for track in skipped] == [first]
    assert client.currentsong()["title"] == running.snapshot().now.track.title
    assert second in {row["title"] for row in client.playlistinfo()}
    client.pause(1)
    client.seekcur(3)
    client.setvol(40)
    client.volume(-5)
    status = client.status()
    assert (status["state"], status["volume"]) == ("pause", "35")
    assert float(status["elapsed"]) == pytest.approx(3, abs=0.5)
    client.stop()
    assert client.status()["state"] == "stop"
    client.play()
    assert client.status()["state"] == "play"


def test_songs_that_are_added_are_pinned_moved_and_taken_off(running, client):
    names = [song["file"] for song in client.listallinfo() if song["file"] != client.currentsong()["file"]][:3]
    ids = [client.addid(name) for name in names]
    assert [entry["file"] for entry in client.playlistinfo("1:4")] == names
    client.moveid(ids[2], 1)
    client.deleteid(ids[0])
    assert [entry["file"] for entry in client.playlistinfo("1:3")] == [names[2], names[1]]
    assert len(load_pins(running.home.database, running.snapshot().station.id)) == 2
    with pytest.raises(mpd.CommandError, match="station chooses"):
        client.delete(5)
    client.clear()
    assert len(load_pins(running.home.database, running.snapshot().station.id)) == 0
    assert client.status()["state"] == "play"


def test_news_end_waiting(running, client):
    client.idle()  # what the start brought
    with ThreadPoolExecutor(1) as pool:
        news = pool.submit(client.idle, "mixer")
        running.toggle_pause()
        running.set_volume(0.25)
        assert news.result(timeout=30) == ["mixer"]
    # What happened while nobody waited is told at once.
    assert "player" in client.idle("player")


def test_stickers_are_thumbs(running, client):
    other = client.playlistinfo()[3]
    track = next(row for row in running.home.rows if row.title == other["title"])
    client.sticker_set("song", other["file"], "rating", 10)
    assert told(running, "up") == [track.id]
    assert client.sticker_get("song", other["file"], "like") == "2"
    assert client.sticker_find("song", "", "rating") == [{"file": other["file"], "sticker": "rating=10"}]
    client.sticker_set("song", other["file"], "like", 0)
    assert running.thumbs() == {track.id: -1}
    client.sticker_delete("song", other["file"], "like")
    assert running.thumbs() == {}
    now = client.currentsong()
    client.sticker_set("song", now["file"], "like", 0)
    assert client.currentsong()["file"] != now["file"], "a thumb down goes on to the next"


def test_the_library_is_searched_as_mpd_does(running, client):
    rows = running.catalogue()
    artist = rows[0].artist
    of_artist = sorted(row.title for row in rows if row.artist == artist)
    for filtered in (
        (f'(artist == "{artist}")',),
        ("artist", artist),
        (f'((artist == "{artist}") AND (title != ""))',),
    ):
        assert sorted(song["title"] for song in client.find(*filtered)) == of_artist
    assert {song["artist"] for song in client.find(f'(!(artist == "{artist}"))')} == {row.artist for row in rows} - {
        artist
    }
    assert sorted(song["title"] for song in client.search("artist", artist[1:5].upper())) >= of_artist
    assert client.count("artist", artist)["songs"] == str(len(of_artist))
    assert [item["artist"] for item in client.list("artist")] == sorted({row.artist for row in rows})
    grouped = client.list("album", "group", "albumartist")
    assert {(item["albumartist"], item["album"]) for item in grouped} == {(row.artist, row.album) for row in rows}
    assert len(client.search("any", "", "window", "2:5")) == 3
    numbers = [int(song["track"]) for song in client.search("title", "", "sort", "Track") if "track" in song]
    assert numbers == sorted(numbers)
    assert set(numbers) == {row.number for row in rows} - {None}
    assert client.stats()["songs"] == str(len(rows))
    folder = client.lsinfo()[0]["directory"]
    below = client.listall(folder)
    assert all(item["file"].startswith(f"{folder}/") for item in below)
    assert client.find(f'(base "{folder}")')[0]["file"] in {item["file"] for item in below}


def test_a_station_is_a_playlist_to_be_loaded(running, client):
    running.create_station("Jazz & “more”", [("library", "")])
    assert [item["playlist"] for item in client.listplaylists()] == ["Evening", "Jazz & “more”"]
    client.load("Jazz & “more”")
    assert running.snapshot().station.name == "Jazz & “more”"
    assert client.status()["lastloadedplaylist"] == "Jazz & “more”"
    assert client.listplaylist("Jazz & “more”")
    client.rename("Evening", "Night")
    client.rm("Jazz & “more”")
    assert [item["playlist"] for item in client.listplaylists()] == ["Night"]
    running.undo()
    assert [item["playlist"] for item in client.listplaylists()] == ["Night", "Jazz & “more”"]
    with pytest.raises(mpd.CommandError, match="no station"):
        client.load("None")


def test_a_list_of_commands_is_done_in_order_and_ends_at_the_first_refusal(running, client):
    client.command_list_ok_begin()
    client.setvol(30)
    client.status()
    assert client.command_list_end()[1]["volume"] == "30"
    client.command_list_ok_begin()
    client.setvol(31)
    client.setvol(101)
    client.setvol(32)
    with pytest.raises(mpd.CommandError, match=r"\[2@1\] \{setvol\}"):
        client.command_list_end()
    assert running.snapshot().volume == pytest.approx(0.31)


@needs_mpc
def test_mpc_plays_a_session(running, mpc):
    title = running.snapshot().now.track.title
    assert mpc("current")[0].endswith(title)
    assert mpc("status")[1].startswith("[playing] #1/")
    assert mpc("pause")[1].startswith("[paused]")
    name = mpc("search", "title", running.catalogue()[5].title)[0]
    mpc("insert", name)
    assert running.snapshot().queue[0].track.id == running.catalogue()[5].id
    assert mpc("next")[0].endswith(running.catalogue()[5].title)
    assert mpc("volume", "40")[-1].startswith("volume: 40%")
    assert mpc("lsplaylists") == ["Evening"]
    assert mpc("repeat", "on")[0].startswith("MPD error: repeat stays 0")
