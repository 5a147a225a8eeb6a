"""Audio becomes vectors: front-ends that embed music, the weights they need, and the pipeline from file to vector.

Import from the modules, each one idea: ``frontend`` (the protocol and the list of front-ends), ``pipeline`` (files to
pooled vectors, in processes of their own), ``weights`` (finding and fetching what a front-end needs), ``store`` (vectors
as bytes). Nothing is imported here: torch loads only where a network runs, and numpy only after a worker process has
said how many threads it may use.
"""
