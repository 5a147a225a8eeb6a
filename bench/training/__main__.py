"""Run the comparison with its options: ``python -m bench.training --help``."""

import sys

from bench.training.peers import main

main(sys.argv[1:])
