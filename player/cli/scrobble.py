"""``player scrobble``: logging in to ListenBrainz and Last.fm, and what waits to be told."""

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.options import DataDir, Home, Json, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.feedback.unlearned_times import Hygiene
    from player.library.tracks import TrackRow

scrobble_app = typer.Typer(help="Tell ListenBrainz and Last.fm what you heard and thumbed.", no_args_is_help=True)
Service = Annotated[Literal["listenbrainz", "lastfm"], typer.Argument(help="Which one.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    scrobble_app.command()(login)
    scrobble_app.command()(logout)
    scrobble_app.command()(status)
    scrobble_app.command()(send)
    app.add_typer(scrobble_app, name="scrobble")


def login(service: Service, data_dir: DataDir = None) -> None:
    """Log in. Tokens are asked for, never written on the command line; they are kept in a file for nobody else to read.

    What is heard from now on is told, not what was heard before. A running player begins at its next start.
    """
    from player.integrations.scrobbling import LastFm, ListenBrainz, LoginError, Outbox, RefusedError
    from player.secrets_file import keep_secrets

    with opened(data_dir) as home:
        settings = home.settings.scrobble
        try:
            if service == "listenbrainz":
                token = _asked("User token (listenbrainz.org/settings)")
                name = ListenBrainz(token, settings.listenbrainz_url).check()
                if not name:
                    raise PlayerError("ListenBrainz does not know this token; copy it from listenbrainz.org/settings.")
                secrets = {"token": token}
            else:
                key, secret = _asked("API key (last.fm/api/account/create)"), _asked("Shared secret")
                lastfm = LastFm(key, secret, "", settings.lastfm_url)
                allowed = lastfm.token()
                say(f"Allow it in a browser: https://www.last.fm/api/auth/?api_key={key}&token={allowed}")
                _asked("Then press Enter")
                secrets, name = {"key": key, "secret": secret, "session": lastfm.log_in(allowed)}, "you"
        except (OSError, ValueError, KeyError, LoginError, RefusedError) as error:
            raise PlayerError(
                f"Logging in to {service} failed ({error or type(error).__name__}); try again."
            ) from error
        keep_secrets(home.paths, service, secrets)
        Outbox(home.database, service).begin()
        print(f"Logged in to {service} as {name}.")


def _asked(words: str) -> str:
    """What the listener enters; from a pipe, its next line."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{words}: ").strip()
    return sys.stdin.readline().strip()


def logout(service: Service, data_dir: DataDir = None) -> None:
    """Forget the login; nothing more is told."""
    from player.folders import locate
    from player.secrets_file import keep_secrets

    keep_secrets(locate(data_dir), service, {})
    print(f"Logged out of {service}.")


def status(data_dir: DataDir = None, json: Json = False) -> None:
    """Show where you are logged in, and how much waits to be told."""
    from player.integrations.scrobbling import Outbox
    from player.remote.scrobbler import services

    with opened(data_dir) as home:
        known = _known(home)
        rows = [
            {"service": service.name, "waiting": len(Outbox(home.database, service.name).waiting(*known))}
            for service in services(home.paths, home.settings.scrobble)
        ]
        if json:
            emit_json(rows)
            return
        for row in rows:
            print(f"{row['service']}: {row['waiting']} waiting")
        if not rows:
            say("Not logged in anywhere; `player scrobble login listenbrainz` does that.")


def send(data_dir: DataDir = None) -> None:
    """Tell now what waits; a running player does so by itself."""
    from player.integrations.scrobbling import LoginError, Outbox
    from player.remote.scrobbler import services

    with opened(data_dir) as home:
        known = _known(home)
        for service in services(home.paths, home.settings.scrobble):
            try:
                told = Outbox(home.database, service.name).deliver(service, *known)
            except (OSError, LoginError) as error:
                why = "it does not know this login any more" if isinstance(error, LoginError) else error
                raise PlayerError(f"{service.name} could not be told ({why}); nothing is lost, try again.") from error
            print(f"{service.name}: {told} told")


def _known(home: Home) -> "tuple[dict[int, TrackRow], Hygiene]":
    from player.feedback.event_history import load_history
    from player.stations.collection import load_rows

    rows = load_rows(home.database)
    return {row.id: row for row in rows}, load_history(home.database, rows).hygiene
