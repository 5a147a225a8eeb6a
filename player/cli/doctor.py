"""``player doctor``: is everything there that the player needs, and how to fix what is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import DataDir, Json, emit_json, opened
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.folders import Paths


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


database_app = typer.Typer(help="Check, copy, restore and update the database.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    database_app.command("check")(check_database)
    database_app.command("backup")(back_up_database)
    database_app.command("restore")(restore_database)
    database_app.command("upgrade")(upgrade_database)
    app.add_typer(database_app, name="db")


def doctor(data_dir: DataDir = None, json: Json = False) -> None:
    """Look at sound, libraries, weights, settings and database, and say how to fix what is wrong.

    Nothing is changed. Exit code 1 when something that the player cannot do without is missing.
    """
    from player.folders import locate

    paths = locate(data_dir)
    looks = (_environment, _settings, _log, _sound, _weights, _database, _models)
    checks = [check for examine in looks for check in examine(paths)]
    if json:
        emit_json(
            {
                "ok": all(check.ok for check in checks),
                "data_dir": str(paths.data),
                "checks": [
                    {"name": check.name, "ok": check.ok, "detail": check.detail, "fix": check.fix} for check in checks
                ],
            }
        )
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FIX '}  {check.name:<14} {check.detail}")
            if check.fix:
                print(f"      → {check.fix}")
    if not all(check.ok for check in checks if check.name in ESSENTIAL):
        raise typer.Exit(1)


ESSENTIAL = frozenset({"settings", "decoder", "database"})
"""Without sound the player still runs, silently; without these it does not."""


PACKAGES = ("player", "recommender", "embeddings")


def _environment(_: "Paths") -> Iterator[Check]:
    """Whether another distribution has put files into the program's packages, as some with equally plain names would."""
    from importlib.metadata import packages_distributions

    from player.folders import APP

    owners = packages_distributions()
    others = sorted({owner for package in PACKAGES for owner in owners.get(package, ())} - {APP})
    named = ", ".join(others)
    fix = f"Uninstall {named} and install {APP} again, or give it an environment of its own, as pipx does."
    detail = f"{named} shares package names with {APP}" if others else "no other program shares its packages"
    yield Check("environment", ok=not others, detail=detail, fix=fix if others else "")


def _settings(paths: "Paths") -> Iterator[Check]:
    from player.config import load_settings

    try:
        load_settings(paths)
    except PlayerError as error:
        yield Check("settings", ok=False, detail=str(error), fix=f"Fix or remove {paths.config_file}.")
    else:
        found = "" if paths.config_file.exists() else " (not there: defaults)"
        yield Check("settings", ok=True, detail=f"{paths.config_file}{found}")


def _log(paths: "Paths") -> Iterator[Check]:
    there = "" if paths.log_file.exists() else " (nothing was logged yet)"
    yield Check("log", ok=True, detail=f"{paths.log_file}{there}")


def _sound(paths: "Paths") -> Iterator[Check]:
    from player.audio.devices import sound_findings

    for finding in sound_findings():
        yield Check(finding.name, finding.ok, finding.detail, finding.fix)
    yield _underruns(paths)


def _underruns(paths: "Paths") -> Check:
    """How often the music faltered, as far as the log goes back."""
    from player.audio.messages import FALTERED

    try:
        lines = [line for line in paths.log_file.read_text(errors="replace").splitlines() if FALTERED in line]
    except OSError:
        lines = []
    if not lines:
        return Check("underruns", ok=True, detail="none in the log")
    last, often = lines[-1].partition(",")[0], "once" if len(lines) == 1 else f"{len(lines)} times"
    fix = "Close what keeps the processors or the disk busy; a device at 44.1 or 48 kHz is the least work."
    return Check("underruns", ok=False, detail=f"the sound faltered {often}, last at {last}", fix=fix)


def _weights(paths: "Paths") -> Iterator[Check]:
    from embeddings.errors import EmbeddingError
    from embeddings.registry import DEFAULT_FRONTEND
    from embeddings.weights.files import MUSICNN_WHEEL, find_weights
    from player.config import Settings, load_settings

    name = f"{DEFAULT_FRONTEND} weights"
    try:
        settings = load_settings(paths)
    except PlayerError:
        settings = Settings()  # broken settings are a finding of their own
    try:
        found = find_weights(MUSICNN_WHEEL, named=settings.musicnn_weights, cache=paths.cache)
    except EmbeddingError as error:
        yield Check(name, ok=False, detail=str(error), fix="Run `make run` again, or name the file with --weights.")
        return
    if found is None:
        size = MUSICNN_WHEEL.size // 2**20
        fix = f"Run `player embed`, which fetches {MUSICNN_WHEEL.filename} ({size} MB), or name it with --weights."
        yield Check(name, ok=False, detail="not fetched yet", fix=fix)
    else:
        yield Check(name, ok=True, detail=str(found))


def _database(paths: "Paths") -> Iterator[Check]:
    if not paths.database.exists():
        yield Check(
            "database", ok=_writable(paths.data), detail=f"{paths.database} (will be made)", fix=_folder_fix(paths)
        )
        return
    import sqlite3

    from player.storage.database import explain, open_database

    try:
        open_database(paths.database).close()
        with sqlite3.connect(f"file:{paths.database}?mode=ro", uri=True) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        connection.close()
    except PlayerError as error:
        yield Check("database", ok=False, detail=str(error), fix=f"Copies are kept in {paths.backups}.")
    except sqlite3.DatabaseError as error:
        yield Check(
            "database", ok=False, detail=explain(error, paths.database), fix=f"Copies are kept in {paths.backups}."
        )
    else:
        sound = verdict == "ok"
        fix = "" if sound else f"Restore a copy from {paths.backups}, or move the file away."
        yield Check(
            "database", ok=sound, detail=str(paths.database) if sound else f"{paths.database}: {verdict}", fix=fix
        )


def _writable(folder: Path) -> bool:
    import os

    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _folder_fix(paths: "Paths") -> str:
    return "" if _writable(paths.data) else f"{paths.data} cannot be written; choose another with --data-dir."


def _models(paths: "Paths") -> Iterator[Check]:
    from recommender.models.registry import ModelError, Registry

    registry = Registry(paths.models)
    load: Callable[[], object] = registry.load_current
    try:
        load()
        version = registry.current()
    except ModelError as error:
        yield Check("model", ok=False, detail=str(error), fix="`player models rollback`, or `player retrain`.")
    else:
        yield Check(
            "model", ok=True, detail=version or "none trained yet: likeness to the station and your thumbs choose"
        )


def check_database(data_dir: DataDir = None, json: Json = False) -> None:
    """Look at every page and reference of the database, and list the copies there are. Exit code 1 where anything is wrong."""
    from player.folders import locate
    from player.storage.backup import check, copies

    paths = locate(data_dir)
    if not paths.database.exists():
        raise PlayerError(f"There is no database at {paths.database} yet; `player scan FOLDER` makes one.")
    health, kept = check(paths.database), copies(paths.backups)
    if json:
        emit_json(
            {
                "path": str(paths.database),
                "ok": not health.problems,
                "revision": health.revision,
                "problems": list(health.problems),
                "backups": [str(path) for path in kept],
            }
        )
    else:
        print(f"{paths.database}: {'sound' if not health.problems else '; '.join(health.problems)}")
        print(f"{len(kept)} copies in {paths.backups}" + (f", the newest {kept[0].name}" if kept else ""))
    if health.problems:
        raise typer.Exit(1)


def back_up_database(
    file: Annotated[Path | None, typer.Argument(help="Where to; into the backups folder if absent.")] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Copy the database, also while the player runs. Before a new version changes it, a copy is made by itself."""
    from player.storage.backup import back_up, prune, stamped
    from player.storage.database import SCHEMA_REVISION

    with opened(data_dir) as home:
        target = stamped(home.paths.backups, SCHEMA_REVISION) if file is None else file.expanduser().absolute()
        if target.is_dir():
            raise PlayerError(f"{target} is a folder; name a file, as in {target / 'player.db'}.")
        back_up(home.paths.database, target)
        if file is None:
            prune(home.paths.backups)
        if json:
            emit_json({"path": str(target), "bytes": target.stat().st_size})
        else:
            print(f"Copied to {target}.")


def restore_database(
    file: Annotated[Path | None, typer.Argument(help="The copy; the newest sound one if absent.")] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Put a copy in the database's place. What was there is kept in the backups folder."""
    from player.folders import locate
    from player.storage.backup import check, copies, restore
    from player.storage.database import SCHEMA_REVISION, open_database

    paths = locate(data_dir)
    found = file.expanduser() if file else next((one for one in copies(paths.backups) if not check(one).problems), None)
    if found is None:
        raise PlayerError(f"There is no sound copy in {paths.backups}; name one: player db restore FILE.")
    before = restore(found, paths.database, paths.backups, SCHEMA_REVISION)
    open_database(paths.database, backups=paths.backups).close()
    if json:
        emit_json({"restored": str(found), "before": None if before is None else str(before)})
    else:
        print(f"Restored {found}." + (f" What was there is now {before}." if before else ""))


def upgrade_database(data_dir: DataDir = None, json: Json = False) -> None:
    """Bring the database up to date with this version, as every other command does when it opens it; a copy is made first."""
    from player.folders import locate
    from player.storage.backup import check
    from player.storage.database import SCHEMA_REVISION

    before = check(locate(data_dir).database).revision or None
    with opened(data_dir):
        if json:
            emit_json({"before": before, "revision": SCHEMA_REVISION})
        else:
            print(
                f"The schema is {SCHEMA_REVISION}"
                + (", as before." if before == SCHEMA_REVISION else f", it was {before}.")
            )
