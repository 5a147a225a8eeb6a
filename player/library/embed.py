"""Embedding the library: what has no vector yet is listened to, file by file, and kept at once."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from embeddings.cards import frontend_card
from embeddings.errors import EmbeddingError
from embeddings.pipeline import FileResult, embed_many
from embeddings.store import vector_to_bytes
from embeddings.weights import ensure_weights
from player.config import Paths
from player.errors import PlayerError
from player.jobs import LOWEST_PRIORITY, Estimate, JobProgress, trainer_lock
from player.library.paths import text_to_path
from player.library.vectors import PendingTrack, pending_tracks, store_embedding
from player.storage.database import Database


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What an embedding run did.

    Attributes:
        embedded: tracks that have a vector now.
        failed: (path, why) of tracks that cannot have one.
        left: tracks still waiting, because the run was stopped.
    """

    embedded: int
    failed: tuple[tuple[str, str], ...]
    left: int


def embed_pending(
    database: Database,
    paths: Paths,
    *,
    frontend: str,
    weights: Path | None,
    workers: int,
    retry_failed: bool,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> EmbedReport:
    """Embed every playable track that has no vector of this front-end's version, newest first.

    Each result is durable before the next is waited for, so an interruption at any moment loses at most the files that
    were being listened to.

    Raises:
        PlayerError: the front-end or its weights cannot be had, or another job is running.
    """
    try:
        info = frontend_card(frontend)
        with trainer_lock(paths.trainer_lock):
            with database.reader() as session:
                waiting = pending_tracks(session, frontend, info.version, retry_failed=retry_failed)
            if not waiting:
                return EmbedReport(0, (), 0)
            file = ensure_weights(
                info.weights, named=None if weights is None else weights.expanduser(), cache=paths.cache
            )
            run = _Run(database, frontend, info.version, waiting)
            return run.work(file, workers, report, should_stop)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error


@dataclass(slots=True)
class _Run:
    """One run over the waiting tracks."""

    database: Database
    frontend: str
    version: str
    waiting: list[PendingTrack]

    def work(
        self,
        weights: Path,
        workers: int,
        report: Callable[[JobProgress], None],
        should_stop: Callable[[], bool],
    ) -> EmbedReport:
        files = [text_to_path(track.path) for track in self.waiting]
        estimate, failed, done = Estimate(), list[tuple[str, str]](), 0
        report(JobProgress("Embedding", 0, len(files)))
        results = embed_many(files, self.frontend, weights, workers=min(workers, len(files)), niceness=LOWEST_PRIORITY)
        with closing(results):
            for result in results:
                track = self.waiting[result.index]
                self._keep(track, result)
                if result.error is not None:
                    failed.append((track.path, result.error))
                done += 1
                report(JobProgress("Embedding", done, len(files), estimate.seconds_left(done, len(files))))
                if should_stop():
                    break
        return EmbedReport(done - len(failed), tuple(failed), len(files) - done)

    def _keep(self, track: PendingTrack, result: FileResult) -> None:
        embedding = result.embedding
        with self.database.session() as session:
            store_embedding(
                session,
                track.track_id,
                self.frontend,
                self.version,
                vector=None if embedding is None else vector_to_bytes(embedding.vector),
                tags=None if embedding is None else vector_to_bytes(embedding.tags),
                error=result.error,
            )
