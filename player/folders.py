"""Every path of the player; free of the settings, which take longer to import than a look-up takes.

The data folder comes from ``--data-dir``, ``PLAYER_DATA_DIR`` or the platform's convention.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP = "skipwise"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where this listener's data lies."""

    data: Path
    """Database, models and locks."""
    config: Path
    """The folder of ``config.toml``."""
    cache: Path
    """Files that can be fetched again."""

    @property
    def database(self) -> Path:
        """The listener's tracks, stations and log."""
        return self.data / "player.db"

    @property
    def models(self) -> Path:
        """Every trained version, one folder each."""
        return self.data / "models"

    @property
    def experiments(self) -> Path:
        """Every run of an experiment, one folder each."""
        return self.data / "experiments"

    @property
    def backups(self) -> Path:
        """Copies of the database made before it is migrated."""
        return self.data / "backups"

    @property
    def trainer_lock(self) -> Path:
        """Held by the one job (embedding or training) that may run."""
        return self.data / "trainer.lock"

    @property
    def config_file(self) -> Path:
        """The listener's settings."""
        return self.config / "config.toml"

    @property
    def log_file(self) -> Path:
        """What went wrong, in every process; two older files beside it."""
        return self.data / "player.log"

    @property
    def private(self) -> tuple[Path, ...]:
        """What tells of the listener, for nobody else to read; the data folder itself where it holds nothing else."""
        own = (
            self.models,
            self.experiments,
            self.backups,
            self.log_file,
            self.config_file,
            self.config / "secrets.json",
            self.trainer_lock,
        )
        names = {"vectors", "player.lock", "player.sock", *(path.name for path in own)}
        try:
            alone = all(child.name in names or child.name.startswith("player.db") for child in self.data.iterdir())
        except OSError:
            alone = False
        return (self.data, *own) if alone else own


def locate(data_dir: Path | None = None) -> Paths:
    """The paths for ``--data-dir``, ``PLAYER_DATA_DIR`` or the platform's own folders, in this order.

    With a data folder of one's own, settings are read from it too, so that a throw-away folder is complete.
    """
    chosen = data_dir or (Path(value) if (value := os.environ.get("PLAYER_DATA_DIR")) else None)
    cache = Path(platformdirs.user_cache_dir(APP))
    if chosen is not None:
        folder = chosen.expanduser().absolute()
        return Paths(data=folder, config=folder, cache=cache)
    return Paths(
        data=Path(platformdirs.user_data_dir(APP)), config=Path(platformdirs.user_config_dir(APP)), cache=cache
    )


def music_folder() -> Path:
    """The listener's XDG music folder, whether or not it exists."""
    return Path(platformdirs.user_music_dir())
