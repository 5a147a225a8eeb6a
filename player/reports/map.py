"""The map of the library as one HTML page with one script, and as a picture, in the same colours.

Tag text is untrusted. It enters the page once, as JSON in which no character can end the script element, and the page's
script shows it as text only. Should both fail, the page's own policy lets no other script run and nothing be fetched.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from player.insight.library_map import DOWN, MIXED, UNTHUMBED, UP, Colouring, LibraryMap
from player.reports.charts import FAINT, TEXT, blank_figure, save_png, shortened, write
from player.reports.page import asset, filled, html_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733", "#bb8866")
"""Paul Tol's bright scheme (SRON/EPS/TN/09-002), chosen so that the colour-blind tell them apart, and two more."""
GREY = "#8a8d94"
GREYS = (GREY, "#5c6068")
"""Of groups that say nothing, two at most."""
VERDICTS = {UP: "#228833", DOWN: "#ee6677", MIXED: "#ccbb44", UNTHUMBED: GREY}
SCALE = ("#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
"""The upper part of viridis: it rises evenly in lightness, and its darkest still shows on a dark page."""
TAIL_PERCENT = 2
"""Of the scores at either end share the end's colour, so that one extreme track does not take all the contrast."""
DECIMALS = 4
"""Of a place: a ten-thousandth of half the map is less than a pixel until it is zoomed in twenty times."""
_UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Characters that could end or begin something in HTML or script, as JSON writes them just as well."""
INCHES = (11.0, 8.0)
LONGEST_NAME = 32
LARGEST_DOT, SMALLEST_DOT, DOTS_AREA = 60.0, 2.0, 16_000.0
"""Points² of a dot, and of all dots together: the fewer there are, the larger."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One group of a map."""

    name: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class MapColours:
    """A map's colours.

    Attributes:
        colours: (n) ``#rrggbb``, one a track.
        legend: the groups; empty for a scale.
        ends: the values at the ends of a scale; None for groups.
    """

    colours: tuple[str, ...]
    legend: tuple[LegendEntry, ...]
    ends: tuple[float, float] | None


def paint(colouring: Colouring) -> MapColours:
    """Choose the colours."""
    return _paint_scale(colouring.values) if colouring.values else _paint_groups(colouring)


def _paint_groups(colouring: Colouring) -> MapColours:
    palette, greys = iter(PALETTE), iter(GREYS)
    colours: dict[str, str] = {}
    for name in colouring.order:
        if name in colouring.greyed:
            colours[name] = next(greys)
        else:
            colours[name] = VERDICTS[name] if set(colouring.order) <= VERDICTS.keys() else next(palette)
    sizes = Counter(colouring.groups)
    legend = tuple(LegendEntry(name, colours[name], sizes[name]) for name in colouring.order)
    return MapColours(tuple(colours[group] for group in colouring.groups), legend, None)


def _paint_scale(values: tuple[float, ...]) -> MapColours:
    low, high = (float(end) for end in np.percentile(values, (TAIL_PERCENT, 100 - TAIL_PERCENT)))
    span = high - low or 1.0
    return MapColours(tuple(_on_scale((value - low) / span) for value in values), (), (low, high))


def _on_scale(share: float) -> str:
    stops = np.array([[int(stop[place : place + 2], 16) for place in (1, 3, 5)] for stop in SCALE], np.float64)
    at = np.linspace(0, 1, len(SCALE))
    red, green, blue = (round(float(np.interp(share, at, stops[:, channel]))) for channel in range(3))
    return f"#{red:02x}{green:02x}{blue:02x}"


def map_page(drawn: LibraryMap) -> str:
    """The page, complete."""
    script = asset("map.js")
    body = filled(asset("map.html"), {"SCRIPT": script, "DATA": _safe_json(_document(drawn))})
    return html_page("Map of the library", asset("map.css"), body, script)


def _safe_json(document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(character, character) for character in text)


def _document(drawn: LibraryMap) -> dict[str, Any]:
    colours = paint(drawn.colouring)
    groups, values = drawn.colouring.groups, drawn.colouring.values
    tracks = [
        {
            "title": track.title,
            "artist": track.artist,
            "album": track.album,
            "genre": track.genre,
            "x": round(float(x), DECIMALS),
            "y": round(float(y), DECIMALS),
            "colour": colours.colours[place],
            "group": groups[place] if groups else "",
            "note": f"score {values[place]:.2f}" if values else "",
        }
        for place, (track, (x, y)) in enumerate(zip(drawn.tracks, drawn.places, strict=True))
    ]
    ends = colours.ends
    return {
        "title": drawn.colouring.title,
        "about": about(drawn),
        "tracks": tracks,
        "legend": [{"name": entry.name, "colour": entry.colour, "count": entry.count} for entry in colours.legend],
        "scale": None if ends is None else {"colours": SCALE, "low": f"{ends[0]:.2f}", "high": f"{ends[1]:.2f}"},
    }


def about(drawn: LibraryMap) -> str:
    """The number of tracks on the map, and the method that placed them."""
    count = len(drawn.tracks)
    return f"{count} {'track' if count == 1 else 'tracks'} by their sound ({drawn.method})"


def save_picture(drawn: LibraryMap, path: Path) -> None:
    """Write the map as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    colours = paint(drawn.colouring)
    figure = blank_figure(*INCHES)
    axes = figure.add_axes((0.02, 0.02, 0.74, 0.9))
    size = min(LARGEST_DOT, max(SMALLEST_DOT, DOTS_AREA / len(drawn.tracks)))
    axes.scatter(drawn.places[:, 0], drawn.places[:, 1], c=colours.colours, s=size, alpha=0.85, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.axis("off")
    write(figure, 0.03, 0.955, "Map of the library", size=16, color=TEXT, weight="bold")
    write(figure, 0.03, 0.925, about(drawn), size=10, color=FAINT)
    _explain(figure, drawn.colouring.title, colours)
    save_png(figure, path)


def _explain(figure: "Figure", title: str, colours: MapColours) -> None:
    left, top, step = 0.79, 0.87, 0.035
    write(figure, left, top, shortened(title, LONGEST_NAME), size=11, color=FAINT, weight="bold")
    for line, entry in enumerate(colours.legend, 1):
        y = top - line * step
        write(figure, left, y, "●", size=13, color=entry.colour)
        write(figure, left + 0.02, y, shortened(f"{entry.name}  ({entry.count})", LONGEST_NAME), size=10, color=TEXT)
    if colours.ends is not None:
        _scale(figure, left, top - step, colours.ends)


def _scale(figure: "Figure", left: float, top: float, ends: tuple[float, float]) -> None:
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 - as above

    bar = figure.add_axes((left, top - 0.02, 0.18, 0.02))
    bar.imshow([list(range(256))], aspect="auto", cmap=LinearSegmentedColormap.from_list("scores", list(SCALE)))
    bar.axis("off")
    write(figure, left, top - 0.045, f"{ends[0]:.2f}", size=10, color=FAINT)
    write(figure, left + 0.18, top - 0.045, f"{ends[1]:.2f}", size=10, color=FAINT, ha="right")
