"""One training code at any size: on a core, on a GPU, under ``torchrun``, over a log in memory or shards on disk.

``python -m recommender.scale convert`` makes shards of a data set of any size, ``python -m recommender.scale train``
trains on them or on a data set in memory; ``docs/scale.md`` says how.
"""
