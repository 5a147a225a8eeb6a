"""Experiments on logged history: data sets opened by name, the listener's own log among them, and runs repeated."""
