"""Tags of other libraries' public test files, as this player, mutagen and MPD read them.

``python -m bench.library.tags FOLDER --mutagen DIR``: FOLDER holds checkouts named tinytag, mediafile, mutagen and taglib;
DIR is where ``pip install --target DIR mutagen`` put it (it runs in a process of its own); MPD is taken from the system.
What is right: for tinytag's and mediafile's files what their own tests expect, for the others what two of the three agree on.
"""

import argparse
import ast
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from player.library.paths import path_to_text
from player.library.tags import read_tags
from player.text import UNKNOWN_ARTIST

FIELDS = ("title", "artist", "album", "albumartist", "genre", "year", "track", "disc", "composer")
ENDINGS = frozenset(
    {
        *(".mp3", ".flac", ".ogg", ".opus", ".oga", ".spx", ".m4a", ".mp4", ".m4b", ".wav", ".aif", ".aiff", ".wma"),
        *(".asf", ".ape", ".wv", ".mpc", ".tta", ".dsf", ".mka"),
    }
)
READERS = ("player", "mutagen", "mpd")
_TINYTAG_TESTS = "tinytag/tinytag/tests/test_all.py"
_SCAN_TRIES = 120
_MUTAGEN = """
import json, sys, mutagen
for line in sys.stdin:
    path = json.loads(line)
    try:
        tags = mutagen.File(path, easy=True)
        found = {k: [str(v) for v in tags[k]] for k in (tags.keys() if tags is not None else ())}
    except Exception:
        found = {}
    print(json.dumps(found))
"""

Values = dict[str, str]
"""One value a field; "3/9" counts as 3."""


def main() -> None:
    """Print a row a reader and set of files: fields right, fields wrong, fields not read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutagen", type=Path, required=True)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    read = {
        "player": {path: _by_player(path) for path in files},
        "mutagen": dict(zip(files, _by_mutagen(files, arguments.mutagen), strict=True)),
        "mpd": _by_mpd(folder),
    }
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for path, expected in _expected(folder, files, read):
        kind = path.relative_to(folder).parts[0]
        for reader in READERS:
            found = read[reader].get(path, {})
            counts[kind, reader].update(_verdict(found.get(field, ""), value) for field, value in expected.items())
    print(f"{'files of':<10} {'read by':<8} {'right':>6} {'wrong':>6} {'missing':>8}")
    for (kind, reader), told in sorted(counts.items()):
        print(f"{kind:<10} {reader:<8} {told['right']:>6} {told['wrong']:>6} {told['missing']:>8}")


def _verdict(found: str, expected: str) -> str:
    if not found:
        return "missing"
    return "right" if _parts(found)[:1] == _parts(expected)[:1] else "wrong"


def _parts(text: str) -> list[str]:
    """The values of a field that may be joined, spaces made alike."""
    return [" ".join(part.split()) for part in text.replace("\0", ";").replace(", ", ";").split(";") if part.strip()]


def _expected(
    folder: Path, files: list[Path], read: Mapping[str, Mapping[Path, Values]]
) -> Iterator[tuple[Path, Values]]:
    """Files with the values that are right."""
    told = dict(_tinytag_tests(folder / _TINYTAG_TESTS))
    full = dict(
        zip(FIELDS, ("full", "the artist", "the album", "", "the genre", "2001", "2", "4", "the composer"), strict=True)
    )
    for path in files:
        kind = path.relative_to(folder).parts[0]
        if kind == "tinytag" and path.name in told:
            yield path, told[path.name]
        elif kind == "mediafile" and path.stem == "full":
            yield path, {field: value for field, value in full.items() if value}
        elif kind in {"mutagen", "taglib"}:
            yield path, _agreed([read[reader].get(path, {}) for reader in READERS])


def _agreed(answers: list[Values]) -> Values:
    """The values on which two agree."""
    agreed: Values = {}
    for field in FIELDS:
        told = Counter(_parts(answer[field])[0] for answer in answers if _parts(answer.get(field, "")))
        if told and told.most_common(1)[0][1] > 1:
            agreed[field] = told.most_common(1)[0][0]
    return agreed


def _tinytag_tests(tests: Path) -> Iterator[tuple[str, Values]]:
    """(Name, values) from the table of expectations in tinytag's tests."""
    for node in ast.walk(ast.parse(tests.read_text("utf-8"))):
        match node:
            case ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Dict(keys=keys, values=values)]):
                pairs = [
                    (key.value, str(value.value))
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and key.value in FIELDS
                ]
                found = {str(key): value[:4] if key == "year" else value for key, value in pairs if value.strip()}
                if "duration" in (key.value for key in keys if isinstance(key, ast.Constant)) or found:
                    yield name, found
            case _:
                continue


def _by_player(path: Path) -> Values:
    with path.open("rb") as file:
        tags = read_tags(file, path.stat().st_size, path_to_text(path))
    numbers = (tags.year, tags.track_number, tags.disc_number)
    artist = "" if tags.artist == UNKNOWN_ARTIST else tags.artist
    values = (
        tags.title,
        artist,
        tags.album,
        tags.album_artist,
        tags.genre,
        *(str(n or "") for n in numbers),
        tags.composer,
    )
    return dict(zip(FIELDS, values, strict=True))


def _by_mutagen(files: list[Path], where: Path) -> Iterator[Values]:
    lines = "\n".join(json.dumps(str(path)) for path in files)
    environment = {**os.environ, "PYTHONPATH": str(where)}
    command = [sys.executable, "-c", _MUTAGEN]
    told = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True).stdout
    names = {"year": "date", "track": "tracknumber", "disc": "discnumber"}
    for line in told.splitlines():
        found = {name.lower(): "; ".join(values) for name, values in json.loads(line).items()}
        yield _plain({field: found.get(names.get(field, field), "") for field in FIELDS})


def _plain(values: Values) -> Values:
    """A year of a date, and a number without its total."""
    numbers = {field: values[field].split("/")[0].split(";")[0].lstrip("0") for field in ("track", "disc")}
    return {**values, "year": values["year"][:4], **numbers}


def _by_mpd(folder: Path) -> dict[Path, Values]:
    with tempfile.TemporaryDirectory() as scratch:
        address, configuration = Path(scratch) / "socket", Path(scratch) / "mpd.conf"
        configuration.write_text(
            f'music_directory "{folder}"\ndb_file "{scratch}/db"\nbind_to_address "{address}"\n'
            'audio_output {\n type "null"\n name "null"\n}\n'
        )
        server = subprocess.Popen(["mpd", "--no-daemon", "--stderr", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            for _ in range(_SCAN_TRIES):
                if address.exists() and (told := _listing(address)):
                    break
                time.sleep(0.5)
            else:
                sys.exit("MPD read nothing.")
        finally:
            server.terminate()
            server.wait()
    found: dict[Path, Values] = {}
    names = {"date": "year"}
    for name, _, value in (line.partition(": ") for line in told):
        if name == "file":
            found[folder / value] = dict.fromkeys(FIELDS, "")
        elif found and (field := names.get(name.lower(), name.lower())) in FIELDS:
            values = found[next(reversed(found))]
            values[field] = f"{values[field]}; {value}".removeprefix("; ")
    return {path: _plain(values) for path, values in found.items()}


def _listing(address: Path) -> list[str]:
    """What MPD knows, once it has read all files; its own client gives up at the longest of these tags."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(address))
        with link.makefile("rw", encoding="utf-8", errors="replace") as lines:
            lines.readline()
            lines.write("update\nidle update\n")
            lines.flush()
            while lines.readline() != "changed: update\n":
                pass
            lines.write("listallinfo\n")
            lines.flush()
            lines.readline()  # the end of the answer before
            return [line.rstrip("\n") for line in iter(lines.readline, "OK\n")]


if __name__ == "__main__":
    main()
