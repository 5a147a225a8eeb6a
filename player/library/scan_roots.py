"""The folders that the library comes from."""

import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from player.library.files import is_below
from player.library.paths import path_to_text, text_to_path
from player.storage.database import Database
from player.storage.models import LibraryRoot

CHANGED = "library.changed"
"""The fact that says when a scan changed the library last, in nanoseconds."""


def known_roots(database: Database) -> list[Path]:
    """Every root, in the order it was added."""
    with database.reader() as session:
        texts = session.scalars(select(LibraryRoot.path).order_by(LibraryRoot.added_us)).all()
    return [text_to_path(text) for text in texts]


def enclosing_root(path: str, roots: Sequence[str]) -> str:
    """The root that a path lies in, or the path itself, which then is one."""
    return next((root for root in roots if is_below(path, root)), path)


def remember_roots(database: Database, roots: Sequence[Path]) -> None:
    """Keep roots for later scans; one that lies in another is looked through with it."""
    known = [path_to_text(root) for root in known_roots(database)]
    with database.session() as session:
        for root in roots:
            if enclosing_root(path_to_text(root), known) in known:
                continue
            session.execute(
                insert(LibraryRoot)
                .values(path=path_to_text(root), added_us=time.time_ns() // 1000)
                .on_conflict_do_nothing()
            )
