"""Benchmarks of the live station: ``python -m bench station [NAME …]``; without a name, all of them."""

import importlib
import sys
from collections.abc import Sequence

ITEMS = ("rerank", "seeds", "propensity", "frontier", "offpolicy", "import-saves")
"""Each is a module of this folder, "_" for "-", with a ``main`` that takes the arguments after its name."""


def main(arguments: Sequence[str] = ()) -> None:
    """Run the one that is named first, with the arguments after it; all of them without a name."""
    if arguments and arguments[0] not in ITEMS:
        sys.exit(f"There is no benchmark of the station called {arguments[0]}; there are: {', '.join(ITEMS)}.")
    for name in arguments[:1] or ITEMS:
        print(f"\n== station {name}")
        importlib.import_module(f"bench.station.{name.replace('-', '_')}").main(list(arguments[1:]))
