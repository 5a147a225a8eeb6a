"""The folders a listener asked to scan."""

import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from player.library.paths import path_to_text, text_to_path
from player.storage.database import Database
from player.storage.models import LibraryRoot


def known_roots(database: Database) -> list[Path]:
    """Every root, in the order it was added."""
    with database.reader() as session:
        texts = session.scalars(select(LibraryRoot.path).order_by(LibraryRoot.added_us)).all()
    return [text_to_path(text) for text in texts]


def remember_roots(database: Database, roots: Sequence[Path]) -> None:
    """Keep roots for later scans."""
    with database.session() as session:
        for root in roots:
            session.execute(
                insert(LibraryRoot)
                .values(path=path_to_text(root), added_us=time.time_ns() // 1000)
                .on_conflict_do_nothing()
            )
