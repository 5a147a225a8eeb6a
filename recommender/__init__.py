"""Learning and ranking: tracks are integers and vectors, listeners are lists of events; no player is needed.

Import from the modules: ``events`` (the log), ``clep``, ``sequential`` and ``training`` (learning; these import torch),
``live`` and ``ranking`` (serving, numpy alone), ``evaluation`` (measuring), ``registry`` (versions on disk).
"""
