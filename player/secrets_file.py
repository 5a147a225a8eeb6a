"""Tokens and sessions of services: one file for nobody else to read, beside the settings."""

import json
import os
import tempfile
from pathlib import Path

from player.errors import PlayerError
from player.folders import Paths

FILE = "secrets.json"


def read_secrets(paths: Paths) -> dict[str, dict[str, str]]:
    """Service → its secrets.

    Raises:
        PlayerError: the file cannot be read.
    """
    file = paths.config / FILE
    try:
        kept = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise PlayerError(f"{file} cannot be read ({type(error).__name__}); remove it and log in again.") from error
    if not isinstance(kept, dict):
        return {}
    return {
        str(name): {str(k): str(v) for k, v in secrets.items()}
        for name, secrets in kept.items()
        if isinstance(secrets, dict)
    }


def keep_secrets(paths: Paths, service: str, secrets: dict[str, str]) -> None:
    """Keep the secrets of a service, or forget them where there are none.

    Raises:
        PlayerError: the file cannot be written.
    """
    kept = {**read_secrets(paths), service: secrets}
    file = paths.config / FILE
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=FILE, dir=file.parent)  # 0600 from the start
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            json.dump({name: values for name, values in kept.items() if values}, written)
        Path(name).replace(file)
    except OSError as error:
        raise PlayerError(f"{file} cannot be written ({error.strerror or error}); check the folder.") from error
