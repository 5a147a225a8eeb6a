"""Whether something large fits, asked before it is begun."""

from pathlib import Path

from embeddings.errors import EmbeddingError

GIGABYTE = 1e9


def check_memory(what: str, needed: int, free: int | None) -> None:
    """Make sure that reading something will not drive the machine out of memory.

    Args:
        what: what is read, for the message.
        needed: bytes it takes.
        free: bytes there are; None if the system does not say, which is let pass.

    Raises:
        EmbeddingError: there are fewer.
    """
    if free is not None and free < needed:
        raise EmbeddingError(
            f"reading {what} takes {needed / GIGABYTE:.1f} GB of memory and {free / GIGABYTE:.1f} GB are free; close other "
            "programs, or use another front-end"
        )


def check_gpu_memory(what: str, needed: int, free: int) -> None:
    """Make sure that a network fits on the GPU.

    Raises:
        EmbeddingError: it does not.
    """
    if free < needed:
        raise EmbeddingError(
            f"{what} takes {needed / GIGABYTE:.1f} GB on the GPU and {free / GIGABYTE:.1f} GB are free there; close other "
            'programs that use it, or compute on the processor, which is slow: CUDA_VISIBLE_DEVICES="" player embed …'
        )


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that a program could take now, or None where the system does not say."""
    try:
        lines = meminfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found: list[str] = next((line.split() for line in lines if line.startswith("MemAvailable:")), [])
    try:
        return int(found[1]) * 1024  # it says "kB" and means KiB
    except (IndexError, ValueError):
        return None
