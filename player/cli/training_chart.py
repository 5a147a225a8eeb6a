"""The course of a training in the terminal: loss and validation AUC as small curves, or plain lines where lines stay."""

import sys

from player.jobs import JobProgress, JobResult, TerminalReporter, progress_line

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 40
"""Epochs that a curve shows: as many as a training has at most by default."""


def curve(values: list[float]) -> str:
    """The last values as blocks, from the lowest to the highest of them."""
    shown = values[-WIDTH:]
    low, span = min(shown), max(shown) - min(shown)
    levels = [round((value - low) / span * (len(BLOCKS) - 1)) if span > 0 else 0 for value in shown]
    return "".join(BLOCKS[level] for level in levels)


class TrainingReporter:
    """Tells a person on standard error: a chart of three lines that is redrawn, or a line for each epoch.

    Args:
        plain: tells everything but the epochs of a training.
        terminal: whether lines can be redrawn; whatever standard error is, when absent.
    """

    def __init__(
        self,
        plain: TerminalReporter | None = None,
        *,
        terminal: bool | None = None,
    ) -> None:
        self._plain = plain or TerminalReporter()
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._stage = ""
        self._losses: list[float] = []
        self._metrics: list[float] = []
        self._drawn = 0
        """Lines of the chart that are on the screen."""

    def progress(self, progress: JobProgress) -> None:
        """Take in an epoch, or pass on what is none."""
        if progress.stage != self._stage:
            self._leave()
            self._stage, self._losses, self._metrics = progress.stage, [], []
        if progress.loss is None:
            self._plain.progress(progress)
            return
        self._losses.append(progress.loss)
        if progress.metric is not None:
            self._metrics.append(progress.metric)
        self._draw(progress) if self._terminal else self._write(progress)

    def note(self, sentence: str) -> None:
        """Write a line that stays."""
        self._leave()
        self._plain.note(sentence)

    def result(self, result: JobResult) -> None:
        """Leave the chart as it stands; what the command prints follows."""
        self._leave()
        self._plain.result(result)

    def clear(self) -> None:
        """Nothing is redrawn from now on."""
        self._leave()
        self._plain.clear()

    def _draw(self, progress: JobProgress) -> None:
        lines = [progress_line(progress), f"  loss {curve(self._losses)} {self._losses[-1]:.3f}"]
        if self._metrics:
            lines.append(f"  AUC  {curve(self._metrics)} {self._metrics[-1]:.3f}, at best {max(self._metrics):.3f}")
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stderr.write(back + "".join(f"\r\x1b[K{line}\n" for line in lines))
        sys.stderr.flush()
        self._drawn = len(lines)

    def _write(self, progress: JobProgress) -> None:
        sys.stderr.write(f"{progress_line(progress)}\n")
        sys.stderr.flush()

    def _leave(self) -> None:
        """The chart stays above what comes; the next one begins below."""
        self._drawn = 0
