"""Cells of a CSV file that somebody may open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe before what a spreadsheet would run as a formula.

    Tags are untrusted: a title may be ``=HYPERLINK(…)``. The price is that the artist "-M-" becomes "'-M-" in CSV; Parquet
    and JSON hold every name as it is.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
