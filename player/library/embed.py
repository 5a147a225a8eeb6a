"""Embedding the library: what has no vector yet is listened to, file by file, and kept at once."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from embeddings.errors import EmbeddingError
from embeddings.pipeline import FileResult, embed_many
from embeddings.pooling import vector_to_bytes
from embeddings.registry import FrontEndCard, frontend_card
from embeddings.weights.weight_files import ensure_weights
from player.config import Paths
from player.errors import PlayerError
from player.jobs import LOWEST_PRIORITY, JobProgress, trainer_lock
from player.library.embed_priority import WaitingTracks, Wishes, load_wishes
from player.library.embedding_rate import Pace, keep_pace, load_pace, pace_key, projection
from player.library.paths import text_to_path
from player.library.vectors import PendingTrack, newest_track_id, pending_tracks, store_embedding
from player.storage.database import Database

STAGE = "Embedding"


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


def _unheard(_sentence: str) -> None:
    """For those who do not want to be told how long it takes."""


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
    announce: Callable[[str], None] = _unheard,
) -> EmbedReport:
    """Embed every playable track that has no vector of this front-end's version.

    What the open station is about to play comes first, then what is near its seeds, then the newest; before every file
    it is looked what that is now, and whether tracks were added. Each result is durable before the next is waited for, so
    an interruption at any moment loses at most the files that were being listened to.

    Args:
        database: the listener's data.
        paths: where the lock and downloaded weights lie.
        frontend: which network listens.
        weights: its file, instead of the one the set-up fetched.
        workers: processes, of one core each.
        retry_failed: whether to try those again that failed.
        report: told after every track how far it is.
        should_stop: asked after every track.
        announce: told once, in a sentence, how long it takes: at once where an earlier run kept its speed, else after the
            first few tracks.

    Raises:
        PlayerError: the front-end or its weights cannot be had, or another job is running.
    """
    try:
        card = frontend_card(frontend)
        with trainer_lock(paths.trainer_lock):
            with database.reader() as session:
                newest = newest_track_id(session)
                waiting = pending_tracks(session, frontend, card.version, retry_failed=retry_failed)
            if not waiting:
                return EmbedReport(0, (), 0)
            file = ensure_weights(
                card.weights, named=None if weights is None else weights.expanduser(), cache=paths.cache
            )
            run = _Run(database, card, waiting, newest, min(workers, len(waiting)), report, should_stop, announce)
            return run.work(file)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error


@dataclass(slots=True)
class _Run:
    """One run over the waiting tracks."""

    database: Database
    card: FrontEndCard
    pending: list[PendingTrack]
    newest: int
    """The greatest id of a track that was looked at."""
    workers: int
    report: Callable[[JobProgress], None]
    should_stop: Callable[[], bool]
    announce: Callable[[str], None]
    given: list[PendingTrack] = field(default_factory=list[PendingTrack])
    """As they were handed to the workers: a result's index is the place in it."""
    done: int = 0

    def work(self, weights: Path) -> EmbedReport:
        waiting = WaitingTracks(self.pending, self._wishes)
        key = pace_key(self.card.name, self.card.version, self.workers)
        pace = Pace(load_pace(self.database, key))
        failed: list[tuple[str, str]] = []
        announced = self._announce(pace, len(waiting))
        self._tell(pace, len(waiting))
        results = embed_many(
            self._files(waiting), self.card.name, weights, workers=self.workers, niceness=LOWEST_PRIORITY
        )
        with closing(results):
            for result in results:
                track = self.given[result.index]
                self._keep(track, result)
                if result.error is not None:
                    failed.append((track.path, result.error))
                self.done += 1
                pace.heard()
                left = self._left(waiting)
                if not announced and (announced := self._announce(pace, left)):
                    self._keep_pace(key, pace)
                self._tell(pace, left)
                if self.should_stop():
                    break
        self._keep_pace(key, pace)
        return EmbedReport(self.done - len(failed), tuple(failed), self._left(waiting))

    def _files(self, waiting: WaitingTracks) -> Generator[Path]:
        """The paths, each chosen when a worker is about to be free for it."""
        while True:
            self._look_for_more(waiting)
            track = waiting.take()
            if track is None:
                return
            self.given.append(track)
            yield text_to_path(track.path)

    def _look_for_more(self, waiting: WaitingTracks) -> None:
        """Take up tracks that a scan has added since."""
        with self.database.reader() as session:
            newest = newest_track_id(session)
            if newest > self.newest:
                waiting.add(pending_tracks(session, self.card.name, self.card.version, above_id=self.newest))
                self.newest = newest

    def _wishes(self) -> Wishes:
        with self.database.reader() as session:
            return load_wishes(session)

    def _left(self, waiting: WaitingTracks) -> int:
        return len(waiting) + len(self.given) - self.done

    def _tell(self, pace: Pace, left: int) -> None:
        self.report(JobProgress(STAGE, self.done, self.done + left, pace.seconds_left(left)))

    def _announce(self, pace: Pace, left: int) -> bool:
        """Say how long it takes, if that is known and there is anything left."""
        rate = pace.tracks_per_second
        if rate is None or not left:
            return False
        self.announce(projection(left, rate, datetime.now().astimezone()))
        return True

    def _keep_pace(self, key: str, pace: Pace) -> None:
        if pace.measured is not None:
            keep_pace(self.database, key, pace.measured)

    def _keep(self, track: PendingTrack, result: FileResult) -> None:
        embedding = result.embedding
        with self.database.session() as session:
            store_embedding(
                session,
                track.track_id,
                self.card.name,
                self.card.version,
                vector=None if embedding is None else vector_to_bytes(embedding.vector),
                tags=None if embedding is None else vector_to_bytes(embedding.tags),
                error=result.error,
                spread=None if embedding is None else vector_to_bytes(embedding.spread),
            )
