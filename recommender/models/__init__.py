"""Models as they are stored and served: content space, CLEP, the online update, the blend, and scoring in numpy."""
