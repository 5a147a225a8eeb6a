"""The library and the listening at large: map, similar tracks, duplicates, outliers, diversity over time."""
