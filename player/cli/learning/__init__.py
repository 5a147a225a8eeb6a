"""Learning from the log, what was learned, and trials of it."""
