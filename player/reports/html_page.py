"""HTML pages that need nothing else: no server, no library, no request, in light and dark.

A page's own policy lets nothing be fetched, and no script run but the one that the page was made with.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files


def html_page(title: str, styles: str, body: str, script: str = "") -> str:
    """The page, complete.

    Args:
        title: of the window.
        styles: rules besides the colours, which all pages share.
        body: safe HTML.
        script: the one that the body has, if it has one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = filled(
        asset("page.html"),
        {
            "SCRIPTS": f"script-src 'sha256-{digest}'; " if script else "",
            "TITLE": escape(title),
            "STYLE": asset("colours.css") + styles,
            "BODY": body,
        },
    )
    # A lone surrogate, as in names that are no UTF-8, cannot be written to a file.
    return page.encode("utf-8", "replace").decode()


def asset(name: str) -> str:
    """A part of a page, as it lies beside this module."""
    return (files("player.reports") / "assets" / name).read_text("utf-8")


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with every ``@NAME@`` replaced, in one pass: what is put in is not looked at again."""
    return re.sub(f"@({'|'.join(parts)})@", lambda place: parts[place[1]], template)
