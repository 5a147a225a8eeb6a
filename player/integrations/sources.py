"""The histories that can be imported, by the names they have on the command line."""

from collections.abc import Mapping

from player.integrations.history import lastfm, listenbrainz, mpd, navidrome, spotify
from player.integrations.history.entries import Reader

READERS: Mapping[str, Reader] = {
    spotify.SOURCE: spotify.read_spotify,
    listenbrainz.SOURCE: listenbrainz.read_listenbrainz,
    lastfm.SOURCE: lastfm.read_lastfm,
    mpd.SOURCE: mpd.read_mpd,
    navidrome.SOURCE: navidrome.read_navidrome,
}
