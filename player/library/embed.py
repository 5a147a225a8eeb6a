"""Embedding the library: what has no vector yet is listened to, file by file, and kept at once."""

import logging
import math
import time
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from embeddings.audio_file import Audio, AudioPart
from embeddings.errors import EmbeddingError
from embeddings.pipeline import FileResult, embed_many, measure_many
from embeddings.pooling import vector_to_bytes
from embeddings.registry import frontend_spec
from embeddings.spec import FrontEndSpec
from embeddings.weights.files import ensure_weights
from player.errors import PlayerError
from player.folders import Paths
from player.jobs import LOWEST_PRIORITY, Estimate, JobProgress, trainer_lock
from player.library import loudness
from player.library.embed_priority import EmbedPriority, WaitingTracks, load_priority
from player.library.paths import span_of, text_to_path
from player.library.vectors import PendingTrack, newest_track_id, pending_tracks, store_embedding
from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact
from recommender.cluster import ClusterError, connection

logger = logging.getLogger(__name__)

STAGE = "Embedding"
MEASURING = "Measuring loudness"
FEW_TRACKS = 8
"""After so many a speed can be told: with two workers the error is one track in eight."""
SLOW = 1.0
"""Tracks a second; slower than this is told by the minute, where it is a number above one."""
MINUTE = 60
A_WEEK = timedelta(days=6)
"""Within which a day of the week names one day."""
LONGEST = 1e9
"""Seconds, thirty years: beyond, a calendar has no use."""


# --- The rate ----------------------------------------------------------------------------------------------------


class EmbeddingRate:
    """Tracks a second of a run, from the first result on: loading the network is not part of it.

    Args:
        known: that of an earlier run, until this one has its own.
    """

    def __init__(self, known: float | None = None) -> None:
        self._known = known
        self._first: float | None = None
        self._last = 0.0
        self._count = 0

    def heard(self) -> None:
        """One more track is done."""
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last
        else:
            self._count += 1

    @property
    def measured(self) -> float | None:
        """Tracks a second in this run; None before ``FEW_TRACKS``."""
        if self._first is None or self._count < FEW_TRACKS or self._last <= self._first:
            return None
        return self._count / (self._last - self._first)

    @property
    def tracks_per_second(self) -> float | None:
        """This run's, else an earlier one's."""
        return self.measured or self._known

    def seconds_left(self, tracks: int) -> float | None:
        """For so many tracks; None while the speed is unknown."""
        rate = self.tracks_per_second
        return None if rate is None else tracks / rate


def load_rate(database: Database, key: str) -> float | None:
    """The tracks a second that an earlier run kept under ``key``."""
    with database.reader() as session:
        kept = read_fact(session, key)
    return float(kept) if isinstance(kept, int | float) and math.isfinite(kept) and kept > 0 else None


def keep_rate(database: Database, key: str, tracks_per_second: float) -> None:
    """Keep it for the next run."""
    with database.session() as session:
        keep_fact(session, key, tracks_per_second)


def rate_key(frontend: str, version: str, workers: int) -> str:
    """The key of a speed: all that it depends on beside the machine and the music."""
    return f"embedding pace: {frontend} {version}, {workers} workers"


def projection(tracks: int, tracks_per_second: float, now: datetime) -> str:
    """The time that so many tracks take, as a sentence.

    >>> projection(10_000, 2.4, datetime(2024, 5, 1, 0, 30))
    '10,000 tracks; at about 2.4 tracks a second this takes about 1 h 9 min (done about 01:39).'
    """
    seconds = tracks / tracks_per_second
    words = f"{tracks:,} track{'s' * (tracks != 1)}; at about {_speed(tracks_per_second)} this takes about {_about(seconds)}"
    return f"{words} (done about {_clock(now, seconds)})." if seconds >= MINUTE else f"{words}."


def _speed(tracks_per_second: float) -> str:
    if tracks_per_second < SLOW:
        return f"{tracks_per_second * MINUTE:.2g} tracks a minute"
    return f"{tracks_per_second:.1f} tracks a second"


def _about(seconds: float) -> str:
    """No finer than such a guess deserves."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def _clock(now: datetime, seconds: float) -> str:
    """The time of day, with the day of the week or the date where it is another."""
    done = now + timedelta(seconds=min(seconds, LONGEST))
    if done.date() == now.date():
        return f"{done:%H:%M}"
    return f"{done:%A %H:%M}" if done - now < A_WEEK else f"{done:%-d %B %Y}"


# --- The run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """The result of an embedding run.

    Attributes:
        embedded: tracks that have a vector now.
        failed: (path, why) of tracks that cannot have one, or that took too long this time.
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
    cluster: str | None = None,
) -> EmbedReport:
    """Embed every playable track that has no vector of this front-end's version.

    What the open station is about to play comes first, then what is near its seeds, then the newest; before every file
    it is looked what that is now, and whether tracks were added. Each result is durable before the next is waited for, so
    an interruption at any moment loses at most the files that were being listened to. How loud a track is, is measured
    while it is being decoded; last comes the loudness of those that had a vector already.

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
        cluster: the address of a Ray cluster to do it on (``local`` starts one here); this machine's processes otherwise.

    Raises:
        PlayerError: the front-end or its weights cannot be had, or another job is running.
    """
    try:
        spec = frontend_spec(frontend)
        with trainer_lock(paths.trainer_lock):
            with database.reader() as session:
                newest = newest_track_id(session)
                waiting = pending_tracks(session, frontend, spec.version, retry_failed=retry_failed)
            done = EmbedReport(0, (), 0)
            if waiting:
                file = ensure_weights(
                    spec.weights, named=None if weights is None else weights.expanduser(), cache=paths.cache
                )
                run = _Run(
                    database, spec, waiting, newest, min(workers, len(waiting)), report, should_stop, announce, cluster
                )
                done = run.work(file)
            if not should_stop():
                _measure(database, None, workers, report, should_stop)
            return done
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error


def embedded(
    files: Iterable[Audio], frontend: str, weights: Path, cluster: str | None, workers: int, niceness: int = 0
) -> Generator[FileResult]:
    """Embed files in processes of this machine, or on a Ray cluster where one is named.

    Raises:
        EmbeddingError: the front-end cannot be loaded, or the cluster cannot be reached.
    """
    if cluster is None:
        yield from embed_many(files, frontend, weights, workers=workers, niceness=niceness)
        return
    from embeddings.cluster import embed_on_cluster  # noqa: PLC0415 - where it is asked for

    try:
        with connection(cluster) as ray:
            yield from embed_on_cluster(ray, files, frontend, weights)
    except ClusterError as error:
        raise EmbeddingError(str(error)) from error


def measure_pending(
    database: Database,
    paths: Paths,
    *,
    track_ids: Collection[int] | None,
    workers: int,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> int:
    """Measure the loudness of playable tracks of which it is not known; returns how many still wait, as after a stop.

    Args:
        database: the listener's data.
        paths: where the lock lies.
        track_ids: which of the tracks; all where None.
        workers: processes, of one core each.
        report: told after every track how far it is.
        should_stop: asked after every track.

    Raises:
        PlayerError: another job is running.
    """
    with trainer_lock(paths.trainer_lock):
        return _measure(database, track_ids, workers, report, should_stop)


def _measure(
    database: Database,
    track_ids: Collection[int] | None,
    workers: int,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> int:
    with database.reader() as session:
        waiting = loudness.unmeasured_tracks(session, track_ids)
    if not waiting:
        return 0
    estimate, done = Estimate(), 0
    files = (audio_of(path) for _track_id, path in waiting)
    with closing(measure_many(files, workers=min(workers, len(waiting)), niceness=LOWEST_PRIORITY)) as results:
        for result in results:
            done += 1
            if not result.may_succeed:
                with database.session() as session:
                    loudness.store_loudness(session, waiting[result.index][0], result.loudness)
            report(JobProgress(MEASURING, done, len(waiting), estimate.seconds_left(done, len(waiting))))
            if should_stop():
                break
    return len(waiting) - done


def audio_of(path: str) -> Audio:
    """The file, or the part of it, that a track's path as stored stands for."""
    start, end = span_of(path)
    return AudioPart(text_to_path(path), start, end) if start or end else text_to_path(path)


@dataclass(slots=True)
class _Run:
    """One run over the waiting tracks."""

    database: Database
    spec: FrontEndSpec
    pending: list[PendingTrack]
    newest: int
    """The greatest id of a track that was looked at."""
    workers: int
    report: Callable[[JobProgress], None]
    should_stop: Callable[[], bool]
    announce: Callable[[str], None]
    cluster: str | None
    given: list[PendingTrack] = field(default_factory=list[PendingTrack])
    """As they were handed to the workers: a result's index is the place in it."""
    done: int = 0

    def work(self, weights: Path) -> EmbedReport:
        waiting = WaitingTracks(self.pending, self._priority)
        key = rate_key(self.spec.name, self.spec.version, self.workers)
        rate = EmbeddingRate(load_rate(self.database, key))
        failed: list[tuple[str, str]] = []
        announced = self._announce(rate, len(waiting))
        self._tell(rate, len(waiting))
        with closing(
            embedded(self._files(waiting), self.spec.name, weights, self.cluster, self.workers, LOWEST_PRIORITY)
        ) as results:
            for result in results:
                track = self.given[result.index]
                self._keep(track, result)
                if result.error is not None:
                    failed.append((track.path, result.error))
                self.done += 1
                rate.heard()
                left = self._left(waiting)
                if not announced and (announced := self._announce(rate, left)):
                    self._keep_rate(key, rate)
                self._tell(rate, left)
                if self.should_stop():
                    break
        self._keep_rate(key, rate)
        return EmbedReport(self.done - len(failed), tuple(failed), self._left(waiting))

    def _files(self, waiting: WaitingTracks) -> Generator[Audio]:
        """The paths, each chosen when a worker is about to be free for it."""
        while True:
            self._look_for_more(waiting)
            track = waiting.take()
            if track is None:
                return
            self.given.append(track)
            yield audio_of(track.path)

    def _look_for_more(self, waiting: WaitingTracks) -> None:
        """Take up tracks that a scan has added since."""
        with self.database.reader() as session:
            newest = newest_track_id(session)
            if newest > self.newest:
                waiting.add(pending_tracks(session, self.spec.name, self.spec.version, above_id=self.newest))
                self.newest = newest

    def _priority(self) -> EmbedPriority:
        with self.database.reader() as session:
            return load_priority(session)

    def _left(self, waiting: WaitingTracks) -> int:
        return len(waiting) + len(self.given) - self.done

    def _tell(self, measured: EmbeddingRate, left: int) -> None:
        self.report(JobProgress(STAGE, self.done, self.done + left, measured.seconds_left(left)))

    def _announce(self, measured: EmbeddingRate, left: int) -> bool:
        """Say how long it takes, if that is known and there is anything left."""
        rate = measured.tracks_per_second
        if rate is None or not left:
            return False
        self.announce(projection(left, rate, datetime.now().astimezone()))
        return True

    def _keep_rate(self, key: str, measured: EmbeddingRate) -> None:
        if measured.measured is not None:
            keep_rate(self.database, key, measured.measured)

    def _keep(self, track: PendingTrack, result: FileResult) -> None:
        if result.may_succeed:
            logger.warning("%s: %s; it is tried again at the next run", track.path, result.error)
            return
        embedding = result.embedding
        with self.database.session() as session:
            if result.loudness is not None:
                loudness.store_loudness(session, track.track_id, result.loudness)
            store_embedding(
                session,
                track.track_id,
                self.spec.name,
                self.spec.version,
                vector=None if embedding is None else vector_to_bytes(embedding.vector),
                tags=None if embedding is None else vector_to_bytes(embedding.tags),
                error=result.error,
                spread=None if embedding is None else vector_to_bytes(embedding.spread),
            )
