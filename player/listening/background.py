"""What goes on beside the music: jobs in children, and other processes writing to the same data."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import func, select

from embeddings.cards import DEFAULT_FRONTEND, frontend_card
from player.config import Paths
from player.errors import PlayerError
from player.jobs import JobChild, JobProgress, JobResult
from player.library.vectors import pending_tracks
from player.listening.view import JobView
from player.storage.database import ChangeWatch, Database
from player.storage.models import Embedding, TrackFile

JobName = Literal["scan", "embed", "retrain"]
LOOK_SECONDS = 0.5
"""How often it is looked whether another process wrote: noticed within a second."""
RELOAD_SECONDS = 10.0
"""A library that is just being embedded is read again at most this often."""
RELOAD_SHARE = 20.0
"""…and never so often that reading takes more than a twentieth of the time."""
WORDS = {"scan": "Scanning", "embed": "Listening", "retrain": "Training"}


class Outside(Protocol):
    """Told what another process changed."""

    def __call__(self, *, library: bool) -> None:
        """Events alone, or also ``library``: tracks, vectors or the model."""
        ...


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one state of library and models from another, cheaply."""

    files: int
    missing: int
    vectors: int
    model: float


@dataclass(slots=True)
class _Look:
    """What the watching remembers from one look to the next."""

    pending: bool = False
    """The library changed and is still to be read again."""
    earliest_reload: float = 0.0
    """On the monotonic clock."""


class Background:
    """Runs jobs one at a time and watches for other writers.

    Args:
        database: the listener's data.
        paths: where models, locks and logs lie.
        on_outside: called from the watching thread.
        on_job: called from a job's reader thread when :attr:`view` changed.
        keep_place: called at every look.
    """

    def __init__(
        self,
        database: Database,
        paths: Paths,
        on_outside: Outside,
        on_job: Callable[[], None],
        keep_place: Callable[[], None],
    ) -> None:
        self._database = database
        self._paths = paths
        self._on_outside = on_outside
        self._on_job = on_job
        self._keep_place = keep_place
        self._lock = threading.Lock()
        self._child: JobChild | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._mark = self._read_mark()
        self.view: JobView | None = None

    def start(self) -> None:
        """Begin to watch, and embed what is waiting for it."""
        self._thread.start()
        self._embed_pending()

    def close(self) -> None:
        """Stop the job and the watching."""
        self._closing.set()
        self.stop()
        child = self._child
        if child is not None:
            child.join(timeout=2.0)
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def run(self, name: JobName, *arguments: str) -> None:
        """Start a job unless one is running."""
        with self._lock:
            if self._child is not None or self._closing.is_set():
                return
            self.view = JobView(name, f"{WORDS[name]} …", 0, 0, None)
            self._child = JobChild(
                [name, *arguments, "--data-dir", str(self._paths.data)],
                lambda progress: self._progress(name, progress),
                lambda result: self._result(name, result),
                self._paths.log_file,
            )
        self._on_job()

    def stop(self) -> None:
        """Ask the job to stop and keep what it has."""
        child = self._child
        if child is not None:
            child.stop()

    def _progress(self, name: JobName, progress: JobProgress) -> None:
        self.view = JobView(name, progress.stage, progress.done, progress.total, progress.seconds_left, progress.metric)
        self._on_job()

    def _result(self, name: JobName, result: JobResult) -> None:
        self.view = JobView(name, WORDS[name], 0, 0, None, finished=True, summary=result.summary)
        with self._lock:
            self._child = None
        if self._closing.is_set():
            return
        self._mark = self._read_mark()
        self._on_outside(library=True)
        self._on_job()
        if name == "scan":
            self._embed_pending()

    def _embed_pending(self) -> None:
        with self._database.reader() as session:
            waiting = bool(pending_tracks(session, DEFAULT_FRONTEND, frontend_card(DEFAULT_FRONTEND).version))
        if waiting:
            self.run("embed")

    def _watch(self) -> None:
        watch = ChangeWatch(self._database)
        look = _Look()
        while not self._closing.wait(LOOK_SECONDS):
            try:
                self._keep_place()
                self._look_outside(watch.changed(), look)
            except PlayerError:
                # A full disk or a locked database is told where the listener does something; here the next look is soon.
                continue
        watch.close()

    def _look_outside(self, changed: bool, look: _Look) -> None:  # noqa: FBT001 - what ChangeWatch said
        mark = self._read_mark() if changed or look.pending else self._mark_with_model()
        look.pending = look.pending or mark != self._mark
        if look.pending and time.monotonic() >= look.earliest_reload:
            started = time.monotonic()
            self._mark, look.pending = mark, False
            self._on_outside(library=True)
            taken = time.monotonic() - started
            look.earliest_reload = time.monotonic() + max(RELOAD_SECONDS, RELOAD_SHARE * taken)
        elif changed:
            self._on_outside(library=False)

    def _mark_with_model(self) -> _Mark:
        mark = self._mark
        return _Mark(mark.files, mark.missing, mark.vectors, _modified(self._paths.models / "current"))

    def _read_mark(self) -> _Mark:
        with self._database.reader() as session:
            files, missing = session.execute(select(func.count(), func.sum(TrackFile.missing))).one()
            vectors = session.execute(
                select(func.count()).select_from(Embedding).where(Embedding.vector.is_not(None))
            ).scalar_one()
        return _Mark(files, missing or 0, vectors, _modified(self._paths.models / "current"))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
