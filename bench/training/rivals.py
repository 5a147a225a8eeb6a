"""Two rivals of real negatives, measured on people's plays beside the plain sequence and real negatives at .4.

Seshadri et al. 2024 (arXiv 2409.07367), ``skips``: InfoNCE over cosines, the taste near the next like and away from what was skipped
in its session. Ivanova et al. 2025 (arXiv 2508.14786), ``opposed``: one encoder over what was heard out and one over what was skipped,
each foretelling its own next track, and a contrastive term that keeps the two tastes apart; ``opposed less`` scores by their difference.

``python -m bench.training.rivals FILE.zip…``. As in ``player experiment people`` the first 80 % of the plays are learned from – of
them the newest tenth stops the training – and each later one is scored in the state before it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from player.research.listening import open_listening
from recommender.events import EventLog
from recommender.experiments.habits_comparison import PAST_SHARE
from recommender.habits.measures import AUC, AUC_SESSION, measures
from recommender.habits.plays import Plays
from recommender.sequence.batches import BatchSampler
from recommender.sequence.items import Items
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.objective import pairwise_loss
from recommender.sequence.windows import padded
from recommender.training.sequential_recommender import FAITHFUL, one_thread

TEMPERATURE, CONTRAST = 0.1, 0.5
"""Of the cosines, and the weight of the contrastive terms beside the next track's."""
EPOCHS, PATIENCE, BATCH = 40, 6, 16
MOST_VALIDATED = 600
KINDS = ("p_hard 0", "p_hard .4", "skips", "opposed")
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sides:
    """The rows of a log that an encoder reads: all, or those of one label."""

    log: EventLog
    rows: Rows

    @staticmethod
    def of(log: EventLog, label: int | None = None) -> "Sides":
        """Those of a label, or all."""
        return Sides(log, np.arange(len(log)) if label is None else np.flatnonzero(log.label == label))

    def before(self, row: int, length: int) -> Rows:
        """The newest ``length`` of them before a row."""
        place = int(np.searchsorted(self.rows, row))
        return self.rows[max(0, place - length) : place]


def main() -> None:
    """Measure every kind on every file with every seed and print the means."""
    parser = argparse.ArgumentParser(description="Rivals of real negatives on people's plays.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--plays", type=int, default=None, help="only so many of the oldest")
    arguments = parser.parse_args()
    for path in arguments.files:
        data = open_listening("spotify", path, f"spotify:{path}", {}, arguments.plays)
        assert data.plays is not None
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(arguments.seeds):
            for kind in KINDS:
                with one_thread():
                    for name, score in scores(kind, data.log, seed).items():
                        found.setdefault(name, []).append(figures(score, data.plays))
                        sys.stdout.write(f"{path.stem} seed {seed} {name}: {found[name][-1]}\n")
                        sys.stdout.flush()
        for name, values in found.items():
            mean, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=min(1, len(values) - 1))
            sys.stdout.write(
                f"{path.stem} | {name} | session {mean[0]:.3f} ± {spread[0]:.3f} | all {mean[1]:.3f} ± {spread[1]:.3f}\n"
            )


def figures(score: Floats, plays: Plays) -> tuple[float, float]:
    """Pair AUC within a session and over all plays of the newest fifth."""
    test = np.arange(len(plays)) >= round(PAST_SHARE * len(plays))
    found = measures(score, plays, test, plays.first)
    return found[AUC_SESSION].mean, found[AUC].mean


def scores(kind: str, log: EventLog, seed: int) -> dict[str, Floats]:
    """Train one kind and score the judged plays of the newest fifth."""
    cut = round(PAST_SHARE * len(log))
    stop = round((1.0 - 0.1) * cut)
    config = replace(FAITHFUL, p_hard=0.4 if kind == "p_hard .4" else 0.0, batch=BATCH, epochs=EPOCHS)
    torch.manual_seed(seed)
    train = log.where(np.arange(len(log)) < stop)
    items = Items.of(train, np.zeros((log.tracks, 0), np.float32), 0.0)
    stations = int(train.station.max()) + 1
    liked = SequentialNetwork(items, stations, config)
    skipped = SequentialNetwork(items, stations, config) if kind == "opposed" else None
    if skipped is not None:
        skipped.own = liked.own
    judged = np.flatnonzero(log.label != 0)
    stopping = judged[(judged >= stop) & (judged < cut)][-MOST_VALIDATED:]
    _train(kind, liked, skipped, log, stop, stopping, seed)
    asked = judged[judged >= cut]
    own = _score(liked, Sides.of(log, None if skipped is None else 1), asked)
    if skipped is None:
        return {kind: _spread(own, asked, log)}
    less = own - _score(skipped, Sides.of(log, -1), asked)
    return {kind: _spread(own, asked, log), f"{kind} less": _spread(less, asked, log)}


def _spread(values: Floats, rows: Rows, log: EventLog) -> Floats:
    found = np.zeros(len(log))
    found[rows] = values
    return found


@torch.no_grad()
def _score(network: SequentialNetwork, sides: Sides, asked: Rows) -> Floats:
    """(asked,) of the track of each row, in the state before it."""
    network.eval()
    log, length = sides.log, network.config.length
    found: list[Tensor] = []
    for begin in range(0, len(asked), 64):
        rows = asked[begin : begin + 64]
        parts = [part if len(part := sides.before(int(row), length)) else rows[:0] for row in rows.tolist()]
        filled = [part if len(part) else np.zeros(1, np.int64) for part in parts]
        window, _ = padded(filled, length)
        state = _states(network, log, window)[torch.arange(len(rows)), torch.tensor([len(part) - 1 for part in filled])]
        query = network.query(state, torch.from_numpy(log.station[rows]))
        found.append(network.score(query, torch.from_numpy(log.track[rows])))
    return torch.cat(found).double().numpy()


def _states(network: SequentialNetwork, log: EventLog, window: Rows) -> Tensor:
    columns = (log.track, log.outcome.astype(np.int64), log.station)
    return network(*(torch.from_numpy(column[window]) for column in columns))


def _train(
    kind: str,
    liked: SequentialNetwork,
    skipped: SequentialNetwork | None,
    log: EventLog,
    stop: int,
    stopping: Rows,
    seed: int,
) -> None:
    """Adam until the pair AUC of the stopping rows no longer rises; the best epoch is kept."""
    train = log.where(np.arange(len(log)) < stop)
    networks = nn.ModuleList([liked] if skipped is None else [liked, skipped])
    optimiser = torch.optim.Adam({id(p): p for p in networks.parameters()}.values(), lr=0.001, betas=(0.9, 0.98))
    losses = _alone(kind, liked, train) if skipped is None else _opposed(liked, skipped, train)
    sides = Sides.of(log, None if skipped is None else 1)
    best, at, kept = -1.0, 0, {}
    for epoch in range(EPOCHS):
        networks.train()
        for loss in losses(np.random.default_rng([seed, epoch])):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        score = _score(liked, sides, stopping)
        label = log.label[stopping]
        auc = float(np.mean(score[label > 0][:, None] > score[label < 0][None, :]))
        if auc > best:
            best, at = auc, epoch
            kept = {name: value.clone() for name, value in networks.state_dict().items()}
        if epoch - at >= PATIENCE:
            break
    networks.load_state_dict(kept)


Losses = Callable[[np.random.Generator], Iterator[Tensor]]


def _alone(kind: str, network: SequentialNetwork, train: EventLog) -> Losses:
    sampler = BatchSampler(train, network.config)

    def losses(rng: np.random.Generator) -> Iterator[Tensor]:
        for batch in sampler.epoch(rng):
            track, station = torch.from_numpy(batch.track), torch.from_numpy(batch.station)
            seen = network.items(track)
            hidden = network.after(seen, torch.from_numpy(batch.outcome), station)
            place = torch.from_numpy(batch.place)
            asked = network.query(hidden.flatten(0, 1)[place], torch.from_numpy(batch.target_station))
            positive = network.items(torch.from_numpy(batch.target))
            negative = network.items(torch.from_numpy(batch.negative))
            weight = torch.from_numpy(batch.target_weight)
            loss = pairwise_loss((asked * positive).sum(-1), (asked * negative).sum(-1), weight)
            if kind == "skips":
                away = torch.from_numpy((batch.label < 0) & batch.real)
                loss = loss + CONTRAST * _away_from_skips(asked, positive, seen, place, station, away)
            yield loss

    return losses


def _away_from_skips(
    asked: Tensor, positive: Tensor, seen: Tensor, place: Tensor, station: Tensor, away: Tensor
) -> Tensor:
    """InfoNCE of each taste (P, d): its next like against the skipped tracks of its own session in the window."""
    length = station.shape[1]
    window = place // length
    others = F.normalize(seen, dim=-1)[window]  # (P, T, d)
    taste = F.normalize(asked, dim=-1)
    near = (taste * F.normalize(positive, dim=-1)).sum(-1) / TEMPERATURE
    far = (others @ taste.unsqueeze(-1)).squeeze(-1) / TEMPERATURE
    counts = away[window] & (station[window] == station.flatten()[place].unsqueeze(-1))
    far = far.masked_fill(~counts, -torch.inf)
    rows = counts.any(dim=1)
    if not rows.any():
        return near.sum() * 0.0
    return F.softplus(torch.logsumexp(far[rows], dim=-1) - near[rows]).mean()


def _opposed(liked: SequentialNetwork, skipped: SequentialNetwork, train: EventLog) -> Losses:
    sides = [np.flatnonzero(train.label == label) for label in (1, -1)]
    length = liked.config.length

    def losses(rng: np.random.Generator) -> Iterator[Tensor]:
        ends = np.arange(int(rng.integers(length // 2, length)), len(train) + length, length)
        for chosen in np.array_split(rng.permutation(ends), max(1, len(ends) // BATCH)):
            terms, tastes = [], []
            for network, rows in zip((liked, skipped), sides, strict=True):
                places = np.searchsorted(rows, chosen)
                parts = [rows[max(0, place - length - 1) : place] for place in places.tolist()]
                parts = [part if len(part) > 1 else rows[:2] for part in parts]
                window, real = padded(parts, length + 1)
                state = _states(network, train, window[:, :-1])
                known = torch.from_numpy(real[:, 1:])
                target = window[:, 1:]
                query = network.query(state, torch.from_numpy(train.station[target]))
                positive = network.items(torch.from_numpy(train.track[target]))
                drawn = torch.from_numpy(rng.integers(0, train.tracks, target.shape))
                negative = network.items(drawn)
                terms.append(
                    pairwise_loss((query * positive).sum(-1), (query * negative).sum(-1), known.to(torch.float32))
                )
                last = torch.tensor([len(part) - 2 for part in parts])
                every = torch.arange(len(parts))
                tastes.append((F.normalize(query[every, last], dim=-1), F.normalize(positive[every, last], dim=-1)))
            (plus, near), (minus, far) = tastes
            apart = (plus * minus).sum(-1)
            pulls = (plus * near).sum(-1), (minus * far).sum(-1)
            contrast = sum(F.softplus((apart - pull) / TEMPERATURE).mean() for pull in pulls)
            yield terms[0] + terms[1] + CONTRAST * contrast

    return losses


if __name__ == "__main__":
    main()
