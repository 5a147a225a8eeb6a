"""One accent on the terminal's own colours.

Background, foreground, green and red are the terminal's, so the player sits well on a dark, a light or a transparent
one; secondary text is dimmed, not grey, for the same reason. The amber of a VU meter is the only colour brought along, but
for the groups on the map: it has a contrast of at least 3:1 on black and on white. With NO_COLOR set Textual drops all of them, and what colour says
is also said by a sign (▲ ▼ ●) or a weight.
"""

from __future__ import annotations

from textual.theme import Theme

ACCENT = "#c87f1a"
GREY = "#6f6f6f"
"""For borders and scroll bars, which carry no meaning."""
GROUPS = ("#4a86c0", "#d9556b", "#2f9145", "#a08a10", "#2793b5", "#a8509a", "#d2691e", "#8f6f52")
"""For groups on the map: Paul Tol's bright scheme (SRON/EPS/TN/09-002), each as light or dark as it takes to have a
contrast of at least 3:1 on black and on white, and two more. Which group is which is also told by showing it alone."""
SCALE = ("#4a86c0", "#5d86ab", "#6f8596", "#808080", "#988051", "#b08035", ACCENT)
"""From the lowest score to the highest; equally light, so that it reads on any background."""

THEME = Theme(
    name="player",
    ansi=True,
    primary=ACCENT,
    secondary=ACCENT,
    accent=ACCENT,
    warning=ACCENT,
    success="ansi_green",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": ACCENT,
        "border-blurred": GREY,
        "block-cursor-background": ACCENT,
        "footer-key-foreground": ACCENT,
        "input-selection-background": ACCENT,
        "screen-selection-background": ACCENT,
        "scrollbar": GREY,
        "scrollbar-hover": ACCENT,
        "scrollbar-active": ACCENT,
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "link-color": ACCENT,
        "link-background-hover": ACCENT,
    },
)
