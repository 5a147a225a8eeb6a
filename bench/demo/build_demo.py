"""Cut the demo library anew from Debian packages.

Usage::

    mkdir debs && cd debs && apt-get download $(python ../bench/demo/build_demo.py --packages)
    python bench/demo/build_demo.py debs

The table is ``player/demo/attribution.csv``: which package, which file in it, where the excerpt starts. For each row the
script takes the recording out of the package (whose version must be the table's), cuts it, fades both ends, encodes it
as Opus and tags it; then it writes ``player/demo/ATTRIBUTION.md``. Nothing else is done to the sound: no gain, no mixing.
The same packages and the same FFmpeg give the same bytes.
"""

import io
import subprocess
import sys
import tarfile
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import av
import numpy as np
from av.container import Flags, OutputContainer
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.demo_credits import LICENCE_URLS, Credit, demo_credits  # noqa: E402 - the repository, installed or not

DEMO = ROOT / "player" / "demo"
SAMPLE_RATE = 48_000  # Hz; the rate Opus works at
BIT_RATE = {"mono": 48_000, "stereo": 64_000}  # bit/s: transparent enough to enjoy, 24 excerpts in 10 MB
FADE_IN_SECONDS = 0.05  # only long enough to hide the cut, which lies just before an onset
FADE_OUT_SECONDS = 1.0
FRAME = 960  # samples; 20 ms, the usual Opus frame

Samples = NDArray[np.float32]


def main() -> None:
    """Build every excerpt and the attribution page."""
    parser = ArgumentParser(description="Cut the demo library anew from Debian packages.")
    parser.add_argument("debs", type=Path, nargs="?", help="folder with the downloaded .deb files")
    parser.add_argument("--packages", action="store_true", help="print the packages needed and stop")
    arguments = parser.parse_args()
    table = demo_credits()
    if arguments.packages:
        print(*sorted({f"{credit.package}={credit.version}" for credit in table}))
        return
    if arguments.debs is None:
        parser.error("name the folder with the .deb files, or ask for --packages")
    for credit, recording in recordings(table, arguments.debs):
        size = build(credit, recording)
        print(f"{size / 1000:6.0f} kB  {credit.file}")
    (DEMO / "ATTRIBUTION.md").write_text(attribution_page(table), encoding="utf-8")


def build(credit: Credit, recording: bytes) -> int:
    """Cut, encode and tag one excerpt; return its size in bytes."""
    samples = excerpt(recording, credit.start_seconds, credit.seconds)
    target = DEMO / "music" / credit.file
    target.parent.mkdir(parents=True, exist_ok=True)
    encode(faded(samples), target, tags(credit))
    return target.stat().st_size


def recordings(table: tuple[Credit, ...], debs: Path) -> Iterator[tuple[Credit, bytes]]:
    """Yield each credit with the bytes of its recording, package by package so that each is unpacked once."""
    ordered = sorted(table, key=lambda credit: credit.package)
    for _, group in groupby(ordered, key=lambda credit: credit.package):
        of_package = tuple(group)
        members = unpack(find_package(of_package[0], debs), {credit.member for credit in of_package})
        for credit in of_package:
            yield credit, unarchived(members[credit.member], credit.archived)


def unpack(package: Path, wanted: set[str]) -> dict[str, bytes]:
    """Return the content of some files of a package by their paths, without writing anything to disk."""
    found: dict[str, bytes] = {}
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacker,
        tarfile.open(fileobj=unpacker.stdout, mode="r|") as tar,
    ):
        for entry in tar:
            path = entry.name.removeprefix("./")
            if path in wanted and (content := tar.extractfile(entry)) is not None:
                found[path] = content.read()
    if missing := wanted - found.keys():
        raise SystemExit(f"{package.name} has no file {min(missing)}.")
    return found


def unarchived(content: bytes, inside: str) -> bytes:
    """Return a file of a zip archive (as some games bundle their data), or the content itself where none is named."""
    if not inside:
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(inside)


def find_package(credit: Credit, debs: Path) -> Path:
    """Return the package file of the credit's version."""
    for candidate in sorted(debs.glob(f"{credit.package}_*.deb")):
        field = subprocess.run(
            ["dpkg-deb", "-f", str(candidate), "Version"], capture_output=True, check=True, text=True
        )
        if field.stdout.strip() == credit.version:
            return candidate
    raise SystemExit(f"{debs} has no {credit.package} {credit.version}; fetch it with apt-get download.")


def excerpt(content: bytes, start_seconds: float, seconds: float) -> Samples:
    """Decode a recording and return the stretch asked for, (channels, samples) at :data:`SAMPLE_RATE`."""
    first = round(start_seconds * SAMPLE_RATE)
    last = first + round(seconds * SAMPLE_RATE)
    blocks: list[Samples] = []
    held = 0
    for block in decoded(content):
        blocks.append(block)
        held += block.shape[1]
        if held >= last:
            return np.concatenate(blocks, axis=1)[:, first:last]
    raise SystemExit(f"The recording ends after {held / SAMPLE_RATE:.1f} s, before the excerpt does.")


def decoded(content: bytes) -> Iterator[Samples]:
    """Yield a recording block by block, (channels, samples), mono or stereo as it is."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", "mono" if stream.channels == 1 else "stereo", SAMPLE_RATE)
        for frame in container.decode(stream):
            for piece in resampler.resample(frame):
                yield piece.to_ndarray().astype(np.float32, copy=False)


def faded(samples: Samples) -> Samples:
    """Return a copy with both ends faded: a straight line in, a quarter cosine out."""
    result = samples.copy()
    rise = round(FADE_IN_SECONDS * SAMPLE_RATE)
    fall = round(FADE_OUT_SECONDS * SAMPLE_RATE)
    result[:, :rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    result[:, -fall:] *= np.cos(np.linspace(0.0, np.pi / 2, fall, dtype=np.float32))
    return result


def tags(credit: Credit) -> dict[str, str]:
    """Return the Vorbis comments of an excerpt; an unknown date is left out."""
    comments = {
        "title": credit.title,
        "artist": credit.artist,
        "album": credit.album,
        "date": credit.date,
        "genre": credit.genre,
        "track": str(credit.track_number),
        "comment": f"Excerpt, re-encoded. {credit.licence}: {credit.licence_url}",
        "copyright": credit.copyright,
        "license": credit.licence_url,
    }
    return {name: value for name, value in comments.items() if value}


def encode(samples: Samples, target: Path, comments: dict[str, str]) -> None:
    """Write samples as Opus in Ogg."""
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    with av.open(str(target), "w", format="ogg") as container:
        # Bit-exact: no random stream serial and no encoder version, so that a rebuild gives the same bytes.
        container.flags |= Flags.bitexact.value
        container.metadata.update(comments)
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout=layout)
        stream.bit_rate = BIT_RATE[layout]
        stream.codec_context.options = {"application": "audio", "vbr": "on", "compression_level": "10"}
        for position in range(0, samples.shape[1], FRAME):
            write(container, stream, samples[:, position : position + FRAME], layout, position)
        container.mux(stream.encode(None))


def write(container: OutputContainer, stream: av.AudioStream, block: Samples, layout: str, position: int) -> None:
    """Encode one block that begins at a sample position."""
    interleaved = np.ascontiguousarray(block.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
    frame.sample_rate = SAMPLE_RATE
    frame.pts = position
    container.mux(stream.encode(frame))


def attribution_page(table: tuple[Credit, ...]) -> str:
    """Return ATTRIBUTION.md."""
    rows = "\n".join(attribution_row(credit) for credit in table)
    licences = "\n".join(f"- **{name}**: <{url}>" for name, url in LICENCE_URLS.items())
    return PAGE.format(rows=rows, licences=licences, seconds=round(table[0].seconds))


def attribution_row(credit: Credit) -> str:
    """Return one line of the table in ATTRIBUTION.md."""
    origin = f"{credit.package} {credit.version}, `{Path(credit.archived or credit.member).name}`"
    cells = (
        f"`{credit.file.as_posix()}`",
        credit.title,
        credit.artist,
        f"[{credit.licence}]({credit.licence_url})",
        credit.copyright.replace("<", "(").replace(">", ")"),
        origin,
        credit.stanza if " " in credit.stanza else f"`{credit.stanza}`",
        "excerpt, re-encoded",
    )
    return "| " + " | ".join(cells) + " |"


PAGE = """# Whose music the demo library is

<!-- Written by bench/demo/build_demo.py from attribution.csv; change those, not this page. -->

The files below `music/` are excerpts of works by the people named here. They are **not** under the program's own
licence: each keeps the licence its author gave it, and so does anything made from it. In particular the excerpts of
works under a CC-BY-SA licence are themselves under that same CC-BY-SA licence.

{licences}

**Changes made** to every work: a stretch of {seconds} seconds was cut out, its ends were faded, and it was encoded as Opus with
new tags. Nothing was mixed, and no loudness was changed. No author endorses this program.

"Origin" is the Debian package and the file in it; "stanza" is the pattern of the `Files:` paragraph in that package's
`copyright` file which gives licence and copyright line. A few stanzas name the authors of several files together; the
artist of such a file is then the one that its own tags or its name tell. Genre tags are the recordings' own where those
say something about the sound, else ours.

| file | title | artist | licence | copyright | origin | stanza | changes |
|---|---|---|---|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
