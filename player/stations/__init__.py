"""Stations: seeds, modes, pins, scoring, the queue, and the reasons for its rows."""
