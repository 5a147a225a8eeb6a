"""``player ab``: two ways of choosing in turn on your own station, and what came of it."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from player.cli.options import DataDir, Json, StationName, emit_json, opened, say
from player.errors import UsageError

if TYPE_CHECKING:
    from player.stations.trial_arms import TrialInfo
    from player.trials.report import ArmFigure, TrialReport

ab_app = typer.Typer(
    help="Let two ways of choosing take turns on your station, and see which one you like better.", no_args_is_help=True
)
TWO = 2
"""Arms of a trial."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ab_app.command("start")(start)
    ab_app.command("status")(status)
    ab_app.command("stop")(stop)
    ab_app.command("list")(list_trials)
    ab_app.command("together")(together)
    app.add_typer(ab_app, name="ab")


def start(
    arms: Annotated[
        str,
        typer.Option(
            "--arms",
            metavar="NAME,NAME",
            help="Two of: live (the model that serves), untrained, shuffle (chance), artists (those you like), without-negatives (the same model, its sequence trained "
            "without dislikes and skips; it is trained first), or a version as `player models` lists it.",
        ),
    ] = "live,without-negatives",
    station: StationName = None,
    pairs: Annotated[
        int, typer.Option("--pairs", min=10, max=100_000, help="End without a winner after so many pairs of tracks.")
    ] = 400,
    hours: Annotated[
        float | None,
        typer.Option("--hours", min=0.01, help="End after so many hours at the latest.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Begin a trial. From now on the station's tracks come from both arms in turn; a fair coin says which has the first of a pair.

    Listen, thumb and skip as ever. The trial ends itself when one arm is better, by a test that may be looked at all the
    time and is wrong once in twenty at most, or when none is after the most pairs. A winner that is a trained version then
    serves, if it beat the one that serves.
    """
    from player.cli.progress import reporting
    from player.trials.lifecycle import TrialWish, begin_trial

    names = [name.strip() for name in arms.split(",")]
    if len(names) != TWO or not all(names):
        raise UsageError(f"--arms takes two names with a comma between them, as in live,untrained, not “{arms}”.")
    with opened(data_dir) as home, reporting(attached=False) as (reporter, stop_asked):
        wish = TrialWish((names[0], names[1]), station, pairs, hours)
        trial = begin_trial(home.database, home.paths, wish, reporter.progress, stop_asked.is_set)
    if json:
        emit_json(_summary(trial))
    else:
        print(f"Trial {trial.id} of {trial.words} has begun, of at most {trial.most_pairs} pairs of tracks.")
        print("Listen as ever; `player ab status` says how it stands.")


def status(station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show the running trial, or the last one: figures of both arms with 95 % intervals, and what the test says."""
    from player.stations.stations import Stations
    from player.stations.trial_arms import Trials
    from player.trials.lifecycle import report_of

    with opened(data_dir) as home:
        trials = Trials(home.database).all()
        if station is not None:
            wanted = Stations(home.database).find(station).id
            trials = [trial for trial in trials if trial.station_id == wanted]
        running = [trial for trial in trials if trial.ended_us is None]
        shown = running or trials[-1:]
        reports = [report_of(home.database, home.paths, trial) for trial in shown]
    if json:
        emit_json([_document(report) for report in reports])
        return
    for report in reports:
        _print(report)
    if not reports:
        say("There was no trial yet; `player ab start` begins one.")


def stop(station: StationName = None, data_dir: DataDir = None, json: Json = False) -> None:
    """End the running trial before its time; the live model has the station to itself again."""
    from player.trials.lifecycle import stop_trial

    with opened(data_dir) as home:
        trial = stop_trial(home.database, home.paths, station)
    if json:
        emit_json(_summary(trial))
    else:
        print(trial.conclusion)


def list_trials(data_dir: DataDir = None, json: Json = False) -> None:
    """List every trial and how it ended."""
    from player.stations.trial_arms import Trials

    with opened(data_dir) as home:
        trials = Trials(home.database).all()
    if json:
        emit_json([_summary(trial) for trial in trials])
        return
    for trial in trials:
        print(f"{trial.id:>3}  {_day(trial.started_us)}  {trial.words}: {trial.conclusion or 'still running'}")
    if not trials:
        say("There was no trial yet; `player ab start` begins one.")


def together(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE.json…", help="Each as `player ab status --json` wrote it.")
    ],
    json: Json = False,
) -> None:
    """Put trials of the same two arms by several listeners together: their e-values multiply.

    Each listener's e-value says how much richer somebody would be who bets against "no difference" from 1 on. The product does
    the same for all of them, so 20 and more is significant at 5 %, whenever each trial was looked at or stopped.
    """
    from player.trials.several import read_trial, together_of

    found = together_of([read_trial(path) for path in files])
    if json:
        emit_json(asdict(found))
        return
    print(f"{found.listeners} listeners, {found.pairs} pairs of {found.arms[0]} and {found.arms[1]}.")
    print(f"Difference in liking {_signed(found.difference)}; e-value {found.e_value:.3g}, p = {found.p:.3f}")


def _print(report: "TrialReport") -> None:
    trial, test = report.trial, report.test
    one, other = (arm.name for arm in trial.arms)
    print(f"Trial {trial.id} on “{report.station}”, since {_day(trial.started_us)}: {trial.words}.")
    print(f"  {'':<17}{one[:20]:>22}{other[:20]:>22}{'difference':>26}")
    print(f"  {'judged plays':<17}{report.plays[0]:>22}{report.plays[1]:>22}")
    for line in report.table:
        cells = "".join(f"{_figure(figure):>22}" for figure in line.arms)
        print(f"  {line.name:<17}{cells}{_difference(line.difference):>26}")
    broken = f" ({report.broken} more were broken off)" if report.broken else ""
    print(f"  {test.pairs} of at most {trial.most_pairs} pairs{broken}: difference in liking {_signed(test.mean)},")
    print(f"  {_signed(test.low)} to {_signed(test.high)} at every look at once, p = {test.p:.3f}")
    print(report.sentence)


def _figure(figure: "ArmFigure") -> str:
    if figure.value is None:
        return "–"
    bounds = "" if figure.low is None else f" ({figure.low:.2f}–{figure.high:.2f})"
    return f"{figure.value:.2f}{bounds}"


def _difference(figure: "ArmFigure") -> str:
    if figure.value is None:
        return "–"
    bounds = "" if figure.low is None or figure.high is None else f" ({_signed(figure.low)} to {_signed(figure.high)})"
    return f"{_signed(figure.value)}{bounds}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _document(report: "TrialReport") -> dict[str, Any]:
    test = report.test
    return {
        **_summary(report.trial),
        "station": report.station,
        "plays": list(report.plays),
        "pairs": test.pairs,
        "broken_pairs": report.broken,
        "measures": {
            line.key: {"arms": [asdict(figure) for figure in line.arms], "difference": asdict(line.difference)}
            for line in report.table
        },
        "test": {
            "difference": test.mean,
            "low": test.low,
            "high": test.high,
            "p": test.p,
            "evidence": test.evidence,
            "e_value": test.e_value,
            "alpha": test.alpha,
            "detectable": test.detectable,
            "stopped_at": test.stopped_at,
        },
        "sentence": report.sentence,
    }


def _summary(trial: "TrialInfo") -> dict[str, Any]:
    return {
        "id": trial.id,
        "station_id": trial.station_id,
        "arms": [{"name": arm.name, "version": arm.version} for arm in trial.arms],
        "most_pairs": trial.most_pairs,
        "started": _moment(trial.started_us),
        "until": _moment(trial.until_us),
        "ended": _moment(trial.ended_us),
        "conclusion": trial.conclusion,
    }


def _moment(microseconds: int | None) -> str | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat()


def _day(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone().strftime("%d %b %Y, %H:%M")
