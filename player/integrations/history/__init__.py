"""Readers of what other players and services hand out; all give the same entries."""
