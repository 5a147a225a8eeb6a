"""Runs of experiments on a terminal: tables with intervals, small drawings, and where the pictures lie."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from player.text import printable
from recommender.experiments.json_values import Json, JsonObject, is_list, is_object, number, objects, text

if TYPE_CHECKING:
    from rich.console import Console

    from player.research.moods import MoodFigure
    from player.research.people import People
    from player.research.results import RunComparison
    from recommender.experiments.records import Record
    from recommender.experiments.store import Listing, RunStore
    from recommender.habits.evidence import Effect

COLUMNS = (
    ("auc", "pair AUC"),
    ("auc_pooled", "AUC, all rows"),
    ("mrr_positive", "MRR +"),
    ("mrr_negative", "MRR −"),
    ("ndcg@10", "NDCG@10"),
    ("recall@10", "recall@10"),
    ("gini", "Gini@10"),
    ("coverage", "coverage@10"),
)
"""The measures of the table for people; --json has them all."""
FEWEST_COLUMNS = 3
COLUMN_WIDTH = 14
NAME_WIDTH = 22
CLEP_COLUMNS = ("accuracy", "precision", "recall", "auroc", "fpr")
P_HARD_COLUMNS = (
    ("auc", "pair AUC", 3),
    ("gini", "Gini@10", 4),
    ("mrr_positive", "MRR +", 4),
    ("mrr_negative", "MRR −", 4),
    ("epochs", "epochs", 1),
    ("ndcg@10", "NDCG@10", 4),
    ("coverage", "coverage@10", 3),
)
"""The columns of the table and their digits."""
P_HARD_WIDTHS = 12, 15
"""Cells of a name, and of a column."""
MOST_LINES = 20
"""Differences told one by one; the rest are counted."""


def plain_console() -> "Console":
    """A console that takes text as it is: what records and files say is never markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False)


def clean(value: str) -> str:
    """Text from a record or a file without anything a terminal would obey."""
    return printable(value)


def print_listing(listing: "Listing", console: "Console") -> None:
    """One line a run, newest first."""
    if not listing.records:
        console.print("There are no experiments yet; `player experiment baselines --dataset …` makes one.")
    for record in listing.records:
        name = text(record.configuration.get("dataset"))
        state = "" if record.finished else "  unfinished: the same command goes on with it"
        again = f"  repeats {record.repeats}" if record.repeats else ""
        line = f"{record.id}  {record.created[:19].replace('T', ' ')}  {record.kind:<10} {name}{again}{state}"
        console.print(clean(line), soft_wrap=True)


def print_run(record: "Record", store: "RunStore") -> None:
    """One run: its heading, its results as its kind has them, and where its pictures lie."""
    console = plain_console()
    _print_heading(record, console)
    if not record.finished:
        console.print("It was interrupted; the command that began it goes on with it.")
    elif record.kind in PRINTERS:
        PRINTERS[record.kind](record, console)
    else:
        known = ", ".join(record.results)
        console.print(clean(f"  a kind that this version does not know; --json shows {known}"))
    for figure in record.figures:
        console.print(clean(f"{figure.title}: {store.figure_path(record, figure)}"), soft_wrap=True)


def _print_heading(record: "Record", console: "Console") -> None:
    """Identity of a run, and its data."""
    data = record.dataset
    console.print(
        clean(f"Experiment {record.id}: {record.kind} on {text(record.configuration.get('dataset'))}"), soft_wrap=True
    )
    counts = [
        f"{value:,.0f} {name}"
        for name in ("listeners", "tracks", "events", "positive", "negative")
        if (value := number(data.get(name))) is not None
    ]
    if counts:
        console.print(f"  {', '.join(counts)}")
    seeds = record.configuration.get("seeds")
    asked = f"{len(seeds)} seeds, " if is_list(seeds) and len(seeds) > 1 else ""
    console.print(clean(f"  {asked}made {record.created[:19].replace('T', ' ')} UTC in {record.seconds:.0f} s"))


def _print_baselines(record: "Record", console: "Console") -> None:
    """The table, the intervals drawn, accuracy by share of likes, tests, conclusion and notes."""
    results = record.results
    split = results.get("split")
    if is_object(split):
        console.print(
            f"  split {text(split.get('name'))}, {text(split.get('state'))}: {_count(split, 'train')} rows to learn from, "
            f"{_count(split, 'validation')} for validation, {_count(split, 'test')} to measure on "
            f"({_count(split, 'positives')} likes, {_count(split, 'negatives')} dislikes, {_count(split, 'pairs')} pairs)",
            soft_wrap=True,
        )
    rows = objects(results.get("results"))
    models = _by_auc(rows)
    _print_table(rows, models, console)
    _print_shares(results, models, console)
    friedman = results.get("friedman")
    if is_object(friedman):
        console.print(
            f"Do they differ? Friedman χ² = {_figure(friedman, 'chi2')}, p = {_figure(friedman, 'p')}, "
            f"Kendall's W = {_figure(friedman, 'kendall_w')}, {_count(friedman, 'blocks')} listeners."
        )
    console.print(clean(text(results.get("conclusion"))))
    for sentence in (*_strings(record.dataset.get("notes")), *_strings(results.get("notes"))):
        console.print(clean(f"  {sentence}"), style="dim")
    for sentence in _strings(results.get("omitted")):
        console.print(clean(f"  missing: {sentence}"), style="dim")


def _print_differences_to(record: "Record", console: "Console") -> None:
    """Lead of one model over each other one, with the interval of the difference over listeners."""
    rows = objects(record.results.get("differences"))
    if not rows:
        return
    console.print(clean(f"{text(rows[0].get('model'))} less …{'':<14}pair AUC{'':<22}NDCG@10"), style="dim")
    for rival in dict.fromkeys(text(row.get("rival")) for row in rows):
        cells = {text(row.get("metric")): row for row in rows if row.get("rival") == rival}
        auc, ndcg = (_difference(cells.get(key)) for key in ("auc", "ndcg@10"))
        console.print(clean(f"  {rival:<{NAME_WIDTH}} {auc:<29} {ndcg}"), soft_wrap=True)
    console.print()


def _difference(row: JsonObject | None) -> str:
    mean = None if row is None else number(row.get("mean"))
    if row is None or mean is None:
        return "–"
    low, high = number(row.get("low")), number(row.get("high"))
    return f"{mean:+.3f}" if low is None or high is None else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def print_dataset(facts: JsonObject, console: "Console") -> None:
    """Statistics of a data set, and how the reading went."""
    for key, value in facts.items():
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            console.print(clean(f"  {key.replace('_', ' '):<20} {_fact(key, value)}"), soft_wrap=True)
    reading = facts.get("reading")
    if is_object(reading):
        console.print(
            f"  read: {_count(reading, 'rows')} rows, {_count(reading, 'malformed')} malformed, "
            f"{_count(reading, 'excluded')} excluded"
        )
        for problem in objects(reading.get("problems")):
            where = f"{text(problem.get('file'))}, line {_count(problem, 'line')}"
            console.print(clean(f"    {where}: {text(problem.get('reason'))}"), soft_wrap=True)
    for note in _strings(facts.get("notes")):
        console.print(clean(f"  {note}"), style="dim")


def print_comparison(first: "Record", second: "Record", compared: "RunComparison", console: "Console") -> None:
    """Differences of the questions, and both runs' figures."""
    console.print("The same data." if compared.same_data else "Different data: figures cannot be compared row by row.")
    for title, found in (
        ("Asked differently", compared.configuration),
        ("Other versions", compared.versions),
        ("Another machine", compared.machine),
    ):
        for difference in found:
            console.print(clean(f"  {title}: {difference}"), soft_wrap=True)
    if compared.agree:
        console.print("Every result is the same to the last digit.")
        return
    changed = [row for row in compared.figures if row.first != row.second]
    wanted = dict(COLUMNS)
    console.print(f"{'':<{NAME_WIDTH}} {'':<14} {first.id:>10} {second.id:>10} {'change':>9}")
    for row in compared.figures:
        if row.metric in wanted:
            console.print(
                clean(
                    f"{row.model:<{NAME_WIDTH}} {wanted[row.metric]:<14} {_cell(row.first):>10} {_cell(row.second):>10} "
                    f"{'–' if row.change is None else f'{row.change:+.4f}':>9}"
                )
            )
    console.print(f"{len(changed)} of {len(compared.figures)} figures differ.")


def print_differences(compared: "RunComparison", console: "Console") -> None:
    """Every result that did not repeat, the first of many one by one."""
    for difference in compared.results[:MOST_LINES]:
        console.print(clean(f"  {difference}"), soft_wrap=True)
    if len(compared.results) > MOST_LINES:
        console.print(f"  … and {len(compared.results) - MOST_LINES} more")
    for difference in compared.versions:
        console.print(clean(f"  another version of {difference}"), soft_wrap=True)


def _print_table(rows: Sequence[JsonObject], models: Sequence[str], console: "Console") -> None:
    cells = {(text(row.get("model")), text(row.get("metric"))): row for row in rows}
    present = [column for column in COLUMNS if any((model, column[0]) in cells for model in models)]
    lines = [(model, [_with_bounds(cells.get((model, key))) for key, _ in present]) for model in models]
    _print_fitting("", [title for _, title in present], lines, console, (console.width - NAME_WIDTH) // COLUMN_WIDTH)


def _print_fitting(
    heading: str, titles: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], console: "Console", fitting: int
) -> None:
    """A table of figures that names the columns for which the terminal is too narrow.

    Args:
        heading: of the names.
        titles: of the columns.
        rows: a name and its cells.
        console: where to.
        fitting: columns beside the names that the console is wide enough for; a few are shown always.
    """
    from rich import box
    from rich.table import Table

    shown = max(FEWEST_COLUMNS, fitting)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(heading)
    for title in titles[:shown]:
        table.add_column(title, justify="right", no_wrap=True)
    for name, cells in rows:
        table.add_row(clean(name), *cells[:shown])
    console.print(table)
    if titles[shown:]:
        rest = ", ".join(titles[shown:])
        console.print(f"A wider terminal also shows {rest}; --json has every measure.", style="dim")


def _print_shares(results: JsonObject, models: Sequence[str], console: "Console") -> None:
    """Pair AUC of the best model by the listeners' share of likes so far."""
    if not models:
        return
    best = [row for row in objects(results.get("by_positive_share")) if row.get("model") == models[0]]
    if not best:
        return
    console.print(clean(f"pair AUC of {models[0]} by the share of likes so far (first seed)"))
    for row in best:
        mean = number(row.get("mean")) or 0.0
        span = f"{number(row.get('share_low')) or 0:.0%} to {number(row.get('share_high')) or 0:.0%}"
        console.print(f"  {span:<14} {mean:.3f}  ({_count(row, 'count')})")
    console.print()


def _by_auc(rows: Sequence[JsonObject]) -> list[str]:
    """The models, highest pair AUC first."""
    auc = {text(row.get("model")): number(row.get("mean")) or 0.0 for row in rows if row.get("metric") == "auc"}
    models = dict.fromkeys(text(row.get("model")) for row in rows)
    return sorted(models, key=lambda model: -auc.get(model, -1.0))


def _with_bounds(row: JsonObject | None, digits: int = 3) -> str:
    """A mean with its interval below it."""
    mean = None if row is None else number(row.get("mean"))
    if row is None or mean is None:
        return "–"
    low, high = number(row.get("low")), number(row.get("high"))
    return f"{mean:.{digits}f}" + ("" if low is None or high is None else f"\n{low:.{digits}f}–{high:.{digits}f}")


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _count(of: JsonObject, key: str) -> str:
    value = number(of.get(key))
    return "–" if value is None else f"{value:,.0f}"


def _figure(of: JsonObject, key: str) -> str:
    value = number(of.get(key))
    return "–" if value is None else f"{value:.3g}"


def _fact(key: str, value: float | str) -> str:
    """A fact about a data set as a person reads it."""
    if isinstance(value, str):
        return value
    if key.endswith("_time"):
        from datetime import UTC, datetime

        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _strings(value: Json) -> list[str]:
    """The sentences of a list; none of what is no list."""
    return [text(item) for item in value] if is_list(value) else []


def _print_clep(record: "Record", console: "Console") -> None:
    """Table 2, the tests, the findings and the notes."""
    results = record.results
    console.print(f"  medians over {number(results.get('listeners')) or 0:.0f} listeners")
    rows = objects(results.get("table2"))
    lines = [
        (
            text(row.get("variant")),
            ["–" if (each := number(row.get(metric))) is None else f"{each:.3f}" for metric in CLEP_COLUMNS],
        )
        for row in rows
    ]
    _print_fitting(
        "",
        ["AUROC" if name == "auroc" else "FPR" if name == "fpr" else name for name in CLEP_COLUMNS],
        lines,
        console,
        len(CLEP_COLUMNS),
    )
    for test in objects(results.get("friedman")):
        chi2, p = number(test.get("chi2")), number(test.get("p"))
        said = text(test.get("omitted")) if chi2 is None or p is None else f"χ² = {chi2:.2f}, p = {p:.3g}"
        console.print(clean(f"  Friedman, {text(test.get('metric'))}: {said}"), soft_wrap=True)
    for pair in objects(results.get("wilcoxon")):
        corrected, effect = number(pair.get("p_holm")), number(pair.get("effect"))
        if corrected is not None and effect is not None:
            line = f"  {text(pair.get('metric'))}, {text(pair.get('pair'))}: p = {corrected:.3g} (Wilcoxon, Holm), effect {effect:+.2f}"
            console.print(clean(line))
    for finding in objects(results.get("findings")):
        line = f"  {text(finding.get('holds'))}: {text(finding.get('finding'))} ({text(finding.get('detail'))})"
        console.print(clean(line), soft_wrap=True)
    console.print(clean(text(results.get("conclusion"))), soft_wrap=True)
    for note in _strings(results.get("notes")):
        console.print(clean(f"  {note}"), style="dim", soft_wrap=True)


def _print_p_hard(record: "Record", console: "Console") -> None:
    """The table, like-rate beside, accuracy by share of likes, ranks by popularity, trends and notes."""
    results = record.results
    _print_p_hard_table(objects(results.get("results")), objects(results.get("baselines")), console)
    _print_negatives(objects(results.get("negatives")), console)
    _print_popularity(objects(results.get("by_popularity")), console)
    trends = objects(results.get("trends"))
    if trends:
        console.print("The paper's trends, each by a fixed rule:")
    for trend in trends:
        console.print(clean(f"  {text(trend.get('verdict'))}: {text(trend.get('claim'))}"), soft_wrap=True)
        console.print(clean(f"      {text(trend.get('evidence'))}"), soft_wrap=True, style="dim")
    console.print(clean(text(results.get("conclusion"))), soft_wrap=True)
    for sentence in (*_strings(results.get("notes")), *_strings(results.get("omitted"))):
        console.print(clean(f"  {sentence}"), style="dim", soft_wrap=True)


def _print_p_hard_table(rows: Sequence[JsonObject], beside: Sequence[JsonObject], console: "Console") -> None:
    cells = {(f"{number(row.get('p_hard')) or 0.0:g}", text(row.get("metric"))): row for row in rows}
    cells |= {(text(row.get("model")), text(row.get("metric"))): row for row in beside}
    names = dict.fromkeys(name for name, _ in cells)
    lines = [
        (name, [_with_bounds(cells.get((name, key)), digits) for key, _, digits in P_HARD_COLUMNS]) for name in names
    ]
    titles = [title for _, title, _ in P_HARD_COLUMNS]
    _print_fitting("p_hard", titles, lines, console, (console.width - P_HARD_WIDTHS[0]) // P_HARD_WIDTHS[1])


def _print_negatives(rows: Sequence[JsonObject], console: "Console") -> None:
    shares = [
        f"{number(row.get('p_hard')) or 0.0:g}: {of_all:.1%}"
        for row in rows
        if (of_all := number(row.get("of_all"))) is not None
    ]
    eligible = next((share for row in rows if (share := number(row.get("eligible"))) is not None), None)
    if shares and eligible is not None:
        console.print(
            f"{eligible:.1%} of the positions have a real negative; of all negatives these shares were real: "
            f"{', '.join(shares)}.",
            soft_wrap=True,
        )


def _print_popularity(rows: Sequence[JsonObject], console: "Console") -> None:
    """Mean place of the least and the most popular tenth, by model."""
    places: dict[str, list[float]] = {}
    for row in rows:
        place = number(row.get("place"))
        if place is not None:
            places.setdefault(text(row.get("model")), []).append(place)
    if places:
        console.print("Mean place in the ranking (0 first, 1 last) by tenth of popularity, the least popular first:")
    for model, found in places.items():
        console.print(f"  {clean(model):<22} {' '.join(f'{place:.2f}' for place in found)}")


def _print_sequential(record: "Record", console: "Console") -> None:
    """The tables of the baselines, and how far the best mode is ahead of each other model."""
    _print_baselines(record, console)
    _print_differences_to(record, console)


HABITS_COLUMNS = (
    ("auc_session", "in a session"),
    ("auc", "all plays"),
    ("auc_first", "first hearings"),
    ("auc_repeat", "repeats"),
)


def _print_habits(record: "Record", console: "Console") -> None:
    """The pair AUC of every model, within sessions first."""
    results = record.results
    cells = {(text(row.get("model")), text(row.get("metric"))): row for row in objects(results.get("results"))}
    models = dict.fromkeys(model for model, _ in cells)
    lines = [(model, [_with_bounds(cells.get((model, key))) for key, _ in HABITS_COLUMNS]) for model in models]
    titles = [title for _, title in HABITS_COLUMNS]
    _print_fitting("pair AUC", titles, lines, console, (console.width - NAME_WIDTH) // COLUMN_WIDTH)
    console.print(clean(text(results.get("conclusion"))))
    for sentence in (*_strings(record.dataset.get("notes")), *_strings(results.get("notes"))):
        console.print(clean(f"  {sentence}"), style="dim")


def print_people(found: "People") -> None:
    """A column a person, then the median over persons and how sure the player's lead is."""
    console = plain_console()
    titles = [f"{person.name[:COLUMN_WIDTH]}" for person in found.people]
    rows = [row for row in found.summary if row.metric == HABITS_COLUMNS[0][0]]
    lines = [
        (
            row.model,
            [
                "–" if row.median is None else f"{row.median:.3f}",
                "" if row.wilcoxon_p is None else f"{row.ahead}/{row.persons}, p {row.wilcoxon_p:.2g}",
                *(f"{person.figure(row.model, row.metric):.3f}" for person in found.people),
            ],
        )
        for row in rows
    ]
    console.print("Pair AUC within a session: median over persons, persons of whom the player is ahead, Wilcoxon's p.")
    _print_fitting(
        "", ["median", "player ahead", *titles], lines, console, (console.width - NAME_WIDTH) // COLUMN_WIDTH
    )
    for sentence in found.left_out:
        console.print(clean(f"  left out: {sentence}"), style="dim")


def print_effects(found: Sequence["Effect"]) -> None:
    """What each way a play ends foretells."""
    console = plain_console()
    lines = [
        (
            row.kind,
            [
                f"{row.plays:,}",
                "–" if row.effect is None else f"{row.effect:+.3f}",
                "" if row.low is None or row.high is None else f"{row.low:+.3f} to {row.high:+.3f}",
                "–" if row.relative is None else f"{row.relative:+.2f}",
            ],
        )
        for row in found
    ]
    console.print("Next calm hearing of the track heard out, against what its rate before made one expect:")
    _print_fitting("the play was", ["plays", "effect", "95 %", "of a lone skip's"], lines, console, len(lines))


def print_moods(found: Sequence["MoodFigure"], *, kept: bool) -> None:
    """How well each mood is foretold, and what was done with it."""
    console = plain_console()
    lines = [
        (row.name, [row.emotion, f"{row.share:.2f}", f"{row.correlation:.2f}", f"{row.low:.2f} to {row.high:.2f}"])
        for row in found
    ]
    console.print("Share of listeners who feel it, foretold from the sound of artists never heard before:")
    _print_fitting("mood", ["asked as", "felt", "r", "over divisions"], lines, console, len(lines))
    known = ", ".join(row.name for row in found if row.good)
    words = "are heard in your library" if kept else "can be heard in your library with --keep"
    console.print(f"{known or 'None of them'} {words}.")


PRINTERS: dict[str, Callable[["Record", "Console"], None]] = {
    "baselines": _print_baselines,
    "clep": _print_clep,
    "habits": _print_habits,
    "p-hard": _print_p_hard,
    "sequential": _print_sequential,
}
"""Printers of the results of each kind."""
