"""Embedding an archive without a player's library: from folders to Parquet, once a file, on this machine or a cluster."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from embeddings.errors import EmbeddingError
from embeddings.pipeline import FileResult
from embeddings.registry import frontend_spec
from embeddings.weights.files import ensure_weights
from player.errors import PlayerError
from player.jobs import Estimate, JobProgress
from player.library.embed import EmbedReport, embedded
from player.library.files import Walker
from player.library.paths import path_to_text, text_to_path

if TYPE_CHECKING:
    from embeddings.spec import FrontEndSpec

ROWS_A_PART = 1024
"""Of a file of results: some 1.5 MB."""
PART_SECONDS = 60.0
"""So much work at most is lost with this process."""
ENDING = ".parquet"


def embed_archive(
    roots: Sequence[Path],
    out: Path,
    *,
    frontend: str,
    weights: Path | None,
    cache: Path,
    cluster: str | None,
    workers: int,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> EmbedReport:
    """Embed the audio files below ``roots`` that have no row in ``out`` yet.

    Each part of ``out`` is a Parquet file of rows ``path``, ``frontend``, ``version``, ``vector`` and ``spread`` (float32 lists),
    ``tags`` and ``error``; it appears complete or not at all. A run that was stopped goes on where it was; a file that was
    given up for want of time or memory has no row and is tried again.

    Raises:
        PlayerError: the front-end, its weights or the cluster cannot be had, or ``out`` cannot be written or read.
    """
    try:
        spec = frontend_spec(frontend)
        file = ensure_weights(spec.weights, named=None if weights is None else weights.expanduser(), cache=cache)
        out.mkdir(parents=True, exist_ok=True)
        parts = _Parts(out, spec)
        known = parts.embedded()
        walker = Walker()
        files = [text_to_path(found.path) for root in roots for found in walker.walk(root.expanduser().absolute())]
        waiting = [path for path in files if path_to_text(path) not in known]
        if not files:
            raise PlayerError(f"There is no audio file in {', '.join(map(str, roots))}.")
        with closing(embedded(waiting, frontend, file, cluster, workers)) as results:
            return _keep(results, parts, len(waiting), report, should_stop)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error
    except OSError as error:
        raise PlayerError(f"{out} cannot be written: {error.strerror or error}.") from error


def _keep(
    results: Iterable[FileResult],
    parts: "_Parts",
    total: int,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> EmbedReport:
    failed: list[tuple[str, str]] = []
    estimate, done = Estimate(), 0
    try:
        for result in results:
            done += 1
            parts.add(result)
            if result.error is not None:
                failed.append((path_to_text(result.path), result.error))
            report(JobProgress("Embedding", done, total, estimate.seconds_left(done, total)))
            if should_stop():
                break
    finally:
        parts.write()
    return EmbedReport(done - len(failed), tuple(failed), total - done)


@dataclass(slots=True)
class _Parts:
    """The files of results in a folder, and the rows that are in none of them yet."""

    folder: Path
    spec: "FrontEndSpec"
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    written: float = field(default_factory=time.monotonic)

    def embedded(self) -> set[str]:
        """The paths that this front-end's version has rows of.

        Raises:
            PlayerError: a part is no file of results.
        """
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - only an archive needs Arrow

        known: set[str] = set()
        for part in sorted(self.folder.glob(f"*{ENDING}")):
            try:
                table = parquet.read_table(part, columns=["path", "frontend", "version"]).to_pydict()
            except (ArrowException, OSError) as error:
                raise PlayerError(f"{part} is no file of embeddings; move it away or choose another --out.") from error
            rows = zip(table["path"], table["frontend"], table["version"], strict=True)
            known.update(path for path, name, version in rows if (name, version) == (self.spec.name, self.spec.version))
        return known

    def add(self, result: FileResult) -> None:
        """Keep one result, and write a part when it is time."""
        if not result.may_succeed:
            embedding = result.embedding
            self.rows.append(
                {
                    "path": path_to_text(result.path),
                    "frontend": self.spec.name,
                    "version": self.spec.version,
                    "vector": None if embedding is None else embedding.vector,
                    "spread": None if embedding is None else embedding.spread,
                    "tags": None if embedding is None else embedding.tags,
                    "error": result.error,
                }
            )
        if len(self.rows) >= ROWS_A_PART or time.monotonic() - self.written >= PART_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what is in no part yet."""
        self.written = time.monotonic()
        if not self.rows:
            return
        import pyarrow as pa  # noqa: PLC0415 - as above
        from pyarrow import parquet  # noqa: PLC0415

        numbers = pa.list_(pa.float32())
        words = {name: pa.string() for name in ("path", "frontend", "version")}
        schema = pa.schema({**words, "vector": numbers, "spread": numbers, "tags": numbers, "error": pa.string()})
        name = f"part-{uuid4().hex}"
        half = self.folder / f".{name}.writing"
        parquet.write_table(pa.Table.from_pylist(self.rows, schema=schema), half)
        half.rename(self.folder / f"{name}{ENDING}")
        self.rows.clear()
