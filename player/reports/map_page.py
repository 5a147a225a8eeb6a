"""A map as one HTML page with one script.

Tag text is untrusted. It enters the page once, as JSON in which no character can end the script element, and the page's
script shows it as text only. Should both fail, the page's own policy lets no other script run and nothing be fetched.
"""

import json
from typing import Any

from player.insight.library_map import LibraryMap
from player.insight.map_colours import SCALE, paint
from player.reports.html_page import asset, filled, html_page

DECIMALS = 4
"""Of a place: a ten-thousandth of half the map is less than a pixel until it is zoomed in twenty times."""
_UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What could end or begin something in HTML or script, as JSON writes it just as well."""


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
    """How many tracks are on the map, and how they came there."""
    count = len(drawn.tracks)
    return f"{count} {'track' if count == 1 else 'tracks'} by their sound ({drawn.method})"
