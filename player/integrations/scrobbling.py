"""Scrobbling: what was heard and thumbed goes to ListenBrainz and Last.fm. The log is the outbox: each service has a place in it.

Protocols: https://listenbrainz.readthedocs.io/en/latest/users/api/core.html and https://www.last.fm/api/scrobbling
"""

import hashlib
import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from player.errors import PlayerError
from player.feedback.events import LoggedEvent
from player.feedback.log_reader import read_events
from player.feedback.unlearned_times import Hygiene
from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.storage.key_value import keep_fact, read_fact

logger = logging.getLogger(__name__)

SHORTEST_SECONDS = 30.0
ENOUGH_SECONDS = 240.0
"""Both services: a track longer than half a minute counts when half of it, or four minutes, were heard."""
BATCH = 50
"""Listens at once, as Last.fm takes them; ListenBrainz would take more."""
PATIENCE_SECONDS = 20.0
LARGEST_ANSWER = 65_536
_LIVE = frozenset({Origin.TUI, Origin.HEADLESS})
_ENDS = frozenset({Kind.FINISH, Kind.SKIP, Kind.STOP})
_LOVE = {Kind.UP: 1, Kind.DOWN: -1, Kind.CLEAR: 0}


class RefusedError(Exception):
    """The service will never take this; it is passed over."""


class LoginError(Exception):
    """The service does not know us any more."""


@dataclass(frozen=True, slots=True)
class Listen:
    """A track that was heard, since when (seconds since 1970)."""

    track: TrackRow
    since: int


@dataclass(frozen=True, slots=True)
class Love:
    """A thumb: +1, -1, or 0 where it was taken off."""

    track: TrackRow
    value: int


class Service(Protocol):
    """Somewhere to scrobble to."""

    name: str

    def listens(self, listens: Sequence[Listen]) -> None:
        """Tell what was heard."""
        ...

    def love(self, love: Love) -> None:
        """Tell a thumb."""
        ...

    def playing(self, track: TrackRow) -> None:
        """Tell what plays now."""
        ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a token is for the address that it was entered for."""

    def http_error_302(self, *_arguments: Any, **_named: Any) -> None:
        """Go nowhere."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_OPENER = urllib.request.build_opener(_NoRedirect)


def _call(url: str, data: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """(status, answer) of a POST.

    Raises:
        OSError: there is no answer that makes sense, so it is worth trying again.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise PlayerError(f"{url} is no address of the web; check the settings under [scrobble].")
    request = urllib.request.Request(url, data, {"User-Agent": "skipwise", **headers})  # noqa: S310 - checked above
    try:
        with _OPENER.open(request, timeout=PATIENCE_SECONDS) as response:
            status, body = response.status, response.read(LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(LARGEST_ANSWER)
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status >= 500 or status == 429 or not isinstance(answer, dict):  # noqa: PLR2004 - HTTP's own
        raise OSError(f"HTTP {status}")
    return status, answer


class ListenBrainz:
    """ListenBrainz, or what speaks its protocol.

    Args:
        token: of the listener's profile.
        url: the root of the API.
    """

    name = "listenbrainz"

    def __init__(self, token: str, url: str) -> None:
        self._token, self._url = token, url.rstrip("/")

    def listens(self, listens: Sequence[Listen]) -> None:
        """Tell what was heard."""
        payload = [{"listened_at": listen.since, **_listened(listen.track)} for listen in listens]
        self._post("/1/submit-listens", {"listen_type": "import", "payload": payload})

    def playing(self, track: TrackRow) -> None:
        """Tell what plays now."""
        self._post("/1/submit-listens", {"listen_type": "playing_now", "payload": [_listened(track)]})

    def love(self, love: Love) -> None:
        """Tell a thumb; the service's name for the track is asked for first."""
        asked = {"listen_type": "playing_now", "payload": [_listened(love.track)]}
        msid = self._post("/1/submit-listens?return_msid=true", asked).get("recording_msid")
        if not isinstance(msid, str):
            raise RefusedError("it has no name for the track")
        self._post("/1/feedback/recording-feedback", {"recording_msid": msid, "score": love.value})

    def check(self) -> str:
        """The name of the listener that the token belongs to; empty where it belongs to none."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked in _call
            f"{self._url}/1/validate-token", headers={"Authorization": f"Token {self._token}"}
        )
        with _OPENER.open(request, timeout=PATIENCE_SECONDS) as response:
            answer = json.loads(response.read(LARGEST_ANSWER))
        return str(answer.get("user_name", "")) if answer.get("valid") else ""

    def _post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        status, answer = _call(self._url + path, json.dumps(document).encode(), headers)
        if status in {401, 403}:
            raise LoginError
        if status >= 400:  # noqa: PLR2004 - HTTP's own
            raise RefusedError(str(answer.get("error", status))[:200])
        return answer


def _listened(track: TrackRow) -> dict[str, Any]:
    known = {"artist_name": track.artist, "track_name": track.title, "release_name": track.album}
    info = {"duration_ms": round(track.duration * 1000), "submission_client": "skipwise", "media_player": "skipwise"}
    return {"track_metadata": {**{name: text for name, text in known.items() if text}, "additional_info": info}}


class LastFm:
    """Last.fm, or what speaks its protocol.

    Args:
        key, secret: of the API account.
        session: of the listener, from :meth:`log_in`; empty before.
        url: of the API.
    """

    name = "lastfm"
    _GONE = frozenset({4, 9, 10, 14, 26})
    """Error codes: login failed, session, key or token invalid, key suspended."""
    _LATER = frozenset({8, 11, 16, 29})

    def __init__(self, key: str, secret: str, session: str, url: str) -> None:
        self._key, self._secret, self._session, self._url = key, secret, session, url

    def listens(self, listens: Sequence[Listen]) -> None:
        """Tell what was heard."""
        words: dict[str, str] = {}
        for place, listen in enumerate(listens):
            words |= {f"{name}[{place}]": text for name, text in _tagged(listen.track).items()}
            words[f"timestamp[{place}]"] = str(listen.since)
        self._post("track.scrobble", words)

    def playing(self, track: TrackRow) -> None:
        """Tell what plays now."""
        self._post("track.updateNowPlaying", _tagged(track))

    def love(self, love: Love) -> None:
        """Tell a thumb up; it knows no thumb down, which only takes the heart away."""
        method = "track.love" if love.value > 0 else "track.unlove"
        self._post(method, {"artist": love.track.artist, "track": love.track.title})

    def token(self) -> str:
        """A token for the listener to allow in a browser."""
        return str(self._post("auth.getToken", {})["token"])

    def log_in(self, token: str) -> str:
        """The session that an allowed token is good for."""
        return str(self._post("auth.getSession", {"token": token})["session"]["key"])

    def _post(self, method: str, words: dict[str, str]) -> dict[str, Any]:
        asked = {**words, "method": method, "api_key": self._key}
        if self._session:
            asked["sk"] = self._session
        signed = "".join(f"{name}{text}" for name, text in sorted(asked.items())) + self._secret
        asked["api_sig"] = hashlib.md5(
            signed.encode(), usedforsecurity=False
        ).hexdigest()  # the protocol's own signature
        data = urllib.parse.urlencode({**asked, "format": "json"}).encode()
        _, answer = _call(self._url, data, {"Content-Type": "application/x-www-form-urlencoded"})
        match answer.get("error"):
            case None:
                return answer
            case code if code in self._GONE:
                raise LoginError
            case code if code in self._LATER:
                raise OSError(f"Last.fm says {code}")
            case code:
                raise RefusedError(f"{code}: {str(answer.get('message', ''))[:200]}")


def _tagged(track: TrackRow) -> dict[str, str]:
    album = {"album": track.album} if track.album else {}
    return {"artist": track.artist, "track": track.title, "duration": str(round(track.duration)), **album}


# --- the outbox --------------------------------------------------------------------------------------------------------


class Outbox:
    """What a service has not been told yet: all of the log behind a place that is kept.

    Args:
        database: the listener's data.
        service: its name.
    """

    def __init__(self, database: Database, service: str) -> None:
        self._database, self._key = database, f"scrobbled.{service}"

    def begin(self) -> None:
        """Begin with what is heard from now on, unless it was begun before."""
        if self._place() is None:
            last = max((event.id for event in read_events(self._database)), default=0)
            self._keep(last)

    def _place(self) -> int | None:
        with self._database.reader() as session:
            place = read_fact(session, self._key)
        return place if isinstance(place, int) else None

    def _keep(self, place: int) -> None:
        with self._database.session() as session:
            keep_fact(session, self._key, place)

    def waiting(self, tracks: dict[int, TrackRow], hygiene: Hygiene) -> list[tuple[int, Listen | Love]]:
        """(event, deed) of what is still to be told, oldest first."""
        return list(deeds(read_events(self._database, self._place() or 0), tracks, hygiene))

    def deliver(self, service: Service, tracks: dict[int, TrackRow], hygiene: Hygiene) -> int:
        """Tell the service what it has not been told; how much that was.

        Raises:
            OSError: it cannot be reached now; what it was told is not told again.
            LoginError: it does not know us any more.
        """
        told, waiting = 0, self.waiting(tracks, hygiene)
        while waiting:
            batch = [waiting.pop(0)]
            while (
                isinstance(batch[0][1], Listen) and waiting and isinstance(waiting[0][1], Listen) and len(batch) < BATCH
            ):
                batch.append(waiting.pop(0))
            try:
                _tell(service, [deed for _, deed in batch])
            except RefusedError as error:
                logger.warning("%s refused what was told and will not be told again: %s", service.name, error)
            self._keep(batch[-1][0])
            told += len(batch)
        return told


def _tell(service: Service, batch: Sequence[Listen | Love]) -> None:
    if isinstance(batch[0], Love):
        service.love(batch[0])
    else:
        service.listens([deed for deed in batch if isinstance(deed, Listen)])


def deeds(
    events: Sequence[LoggedEvent], tracks: dict[int, TrackRow], hygiene: Hygiene
) -> Iterator[tuple[int, Listen | Love]]:
    """(event, deed) of what is worth telling: plays that were heard long enough, and thumbs that stand.

    What is excluded, private or forgotten stays here.
    """
    undone = {event.undoes_id for event in events if event.kind == Kind.UNDO}
    begun: dict[int, float] = {}
    for event in events:
        track = tracks.get(event.track_id)
        if track is None or event.origin not in {*_LIVE, Origin.CLI} or event.id in undone:
            continue
        if hygiene.silent(event) or hygiene.forgotten(event):
            continue
        if event.kind == Kind.START:
            begun[event.track_id] = event.seconds
        elif event.kind in _LOVE:
            yield event.id, Love(track, _LOVE[event.kind])
        elif event.kind in _ENDS and event.origin in _LIVE:
            heard = event.position or 0.0 if event.heard is None else event.heard
            since = begun.pop(event.track_id, event.seconds - heard)
            if track.duration > SHORTEST_SECONDS and heard >= min(track.duration / 2, ENOUGH_SECONDS):
                yield event.id, Listen(track, int(since))
