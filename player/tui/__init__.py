"""The screen: a Textual app that draws snapshots and passes key presses on to the player behind ``PlayerPort``."""
