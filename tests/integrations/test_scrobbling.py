"""Scrobbling to a local server that speaks the services' protocols, from a real log."""

import json
import stat
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from player.config import Settings
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.hygiene import add_exclusion
from player.feedback.unlearned_times import NOTHING_FORGOTTEN
from player.integrations.scrobbling import LastFm, Listen, ListenBrainz, LoginError, Love, Outbox
from player.remote.scrobbler import services
from player.secrets_file import keep_secrets, read_secrets
from player.storage.event_kinds import Action, Kind, Origin


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.server.answer(self.path, dict(self.headers), body)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


@contextmanager
def serving(answer):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.answer = answer
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def heard(demo):
    """A log with one track heard, one skipped early, a thumb up, and one that was taken back; the tracks by their ids."""
    store, (one, two, three, *_) = EventStore(demo.database, Origin.TUI), demo.track_ids
    Outbox(demo.database, "listenbrainz").begin()
    Outbox(demo.database, "lastfm").begin()
    store.append_all([NewEvent(Kind.START, one, at_us=1_790_000_000_000_000), NewEvent(Kind.UP, one)])
    store.append_all([NewEvent(Kind.FINISH, one, position=46.0, action=Action.END)])
    store.append_all([NewEvent(Kind.START, two), NewEvent(Kind.SKIP, two, position=3.0, action=Action.NEXT)])
    store.append_all([NewEvent(Kind.DOWN, three)])
    store.append_all([NewEvent(Kind.UNDO, three)])
    return {row.id: row for row in demo.rows}


def test_what_was_heard_long_enough_and_thumbs_that_stand_wait(demo, heard):
    waiting = [deed for _, deed in Outbox(demo.database, "lastfm").waiting(heard, NOTHING_FORGOTTEN)]
    track = heard[demo.track_ids[0]]
    assert waiting == [Love(track, 1), Listen(track, 1_790_000_000)]


def test_what_is_excluded_stays_here(demo, heard):
    add_exclusion(demo.database, f'title:"{heard[demo.track_ids[0]].title}"', None, None)
    hygiene = load_history(demo.database, demo.rows).hygiene
    assert Outbox(demo.database, "lastfm").waiting(heard, hygiene) == []


def test_listenbrainz_is_told_once_also_after_it_was_away(demo, heard):
    got, away = [], [True]

    def answer(path, headers, body):
        assert headers["Authorization"] == "Token secret-token"
        if away[0]:
            return 503, {}
        got.append((path, json.loads(body)))
        return 200, {"status": "ok", "recording_msid": "a-msid"}

    outbox = Outbox(demo.database, "listenbrainz")
    with serving(answer) as url:
        with pytest.raises(OSError, match="503"):
            outbox.deliver(ListenBrainz("secret-token", url), heard, NOTHING_FORGOTTEN)
        away[0] = False
        # As after a restart: nothing but the database remembers.
        assert (
            Outbox(demo.database, "listenbrainz").deliver(ListenBrainz("secret-token", url), heard, NOTHING_FORGOTTEN)
            == 2
        )
        assert outbox.deliver(ListenBrainz("secret-token", url), heard, NOTHING_FORGOTTEN) == 0
    track = heard[demo.track_ids[0]]
    assert [path for path, _ in got] == [
        "/1/submit-listens?return_msid=true", "/1/feedback/recording-feedback", "/1/submit-listens",
    ]  # fmt: skip
    assert got[1][1] == {"recording_msid": "a-msid", "score": 1}
    (listen,) = got[2][1]["payload"]
    assert listen["listened_at"] == 1_790_000_000
    assert listen["track_metadata"]["track_name"] == track.title


def test_lastfm_gets_signed_calls_and_says_when_the_login_is_gone(demo, heard):
    got = []

    def answer(_path, _headers, body):
        words = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        got.append(words)
        return (403, {"error": 9, "message": "Invalid session key"}) if words["sk"] == "old" else (200, {})

    with serving(answer) as url:
        with pytest.raises(LoginError):
            Outbox(demo.database, "lastfm").deliver(LastFm("key", "secret", "old", url), heard, NOTHING_FORGOTTEN)
        assert (
            Outbox(demo.database, "lastfm").deliver(LastFm("key", "secret", "new", url), heard, NOTHING_FORGOTTEN) == 2
        )
    love, scrobble = got[1:]
    assert (love["method"], scrobble["method"]) == ("track.love", "track.scrobble")
    assert scrobble["timestamp[0]"] == "1790000000"
    assert scrobble["artist[0]"] == heard[demo.track_ids[0]].artist
    assert len(scrobble["api_sig"]) == 32
    assert "secret" not in {text for words in got for text in words.values()}


def test_a_refused_listen_is_passed_over_and_no_redirect_is_followed(demo, heard, caplog):
    with serving(lambda *_: (400, {"error": "no such thing"})) as url:
        assert (
            Outbox(demo.database, "listenbrainz").deliver(ListenBrainz("secret-token", url), heard, NOTHING_FORGOTTEN)
            == 2
        )
    assert "no such thing" in caplog.text
    assert "secret-token" not in caplog.text
    paths = []
    with serving(lambda path, *_: paths.append(path) or (302, {})) as url:
        Outbox(demo.database, "lastfm").deliver(LastFm("key", "secret", "s", url), heard, NOTHING_FORGOTTEN)
    assert "/elsewhere" not in paths


def test_secrets_are_for_nobody_else(demo):
    keep_secrets(demo.paths, "listenbrainz", {"token": "secret"})
    keep_secrets(demo.paths, "lastfm", {"key": "k", "secret": "s", "session": "x"})
    assert stat.S_IMODE((demo.paths.config / "secrets.json").stat().st_mode) == 0o600
    assert [service.name for service in services(demo.paths, Settings().scrobble)] == ["listenbrainz", "lastfm"]
    keep_secrets(demo.paths, "listenbrainz", {})
    assert list(read_secrets(demo.paths)) == ["lastfm"]
