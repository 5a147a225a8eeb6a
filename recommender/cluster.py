"""The connection to a Ray cluster (Moritz et al. 2018, arXiv 1712.05889): one that runs somewhere, or one made of this machine."""

import logging
import os
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from typing import Any

LOCAL = "local"
"""The address of a cluster that is started on this machine for the run, on all its cores."""
KNOCK_SECONDS = 10.0
"""For a cluster to answer."""
TRIES = 3
"""Of a task whose machine is lost, after the first."""


class ClusterError(Exception):
    """A cluster that cannot be used; the message is one sentence that says which, why and what to do."""


@contextmanager
def connection(address: str) -> Generator[Any]:
    """Ray, connected to a cluster; whoever is connected already stays so.

    Ray warns on stdout, where a document is to be alone: what is written there meanwhile goes to stderr.

    Args:
        address: ``local``, or that of a running cluster as Ray takes it (``HOST:PORT``, ``ray://HOST:PORT``, ``auto``).

    Raises:
        ClusterError: Ray is not installed, or nobody answers there.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415 - an extra, which takes a second
    except ModuleNotFoundError:
        raise ClusterError('a cluster needs Ray: install it with pip install "skipwise[cluster]"') from None
    with redirect_stdout(sys.stderr):
        if ray.is_initialized():
            yield ray
            return
        _connect(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    try:
        _knock(address)
        own = False if address == LOCAL else None
        ray.init(address, include_dashboard=own, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["no answer"])[0]
        raise ClusterError(
            f"there is no Ray cluster at {address} ({reason}); start one with `ray start --head`"
        ) from error


def connected() -> Any | None:
    """Ray, where this process is connected to a cluster; looked for without importing it."""
    ray = sys.modules.get("ray")
    return ray if ray is not None and ray.is_initialized() else None


def _knock(address: str) -> None:
    """Try the address, where it names one: Ray itself waits for minutes.

    Raises:
        OSError: nobody answers there.
        ValueError: it is no HOST:PORT.
    """
    if address in {LOCAL, "auto"}:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("write HOST:PORT, ray://HOST:PORT, auto or local")
    socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
