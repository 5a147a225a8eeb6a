"""Audio becomes vectors: front-ends that embed music, the weights they need, and the pipeline from file to vector.

Import from the modules, each one idea: ``registry`` (the front-ends there are), ``frontend`` (the protocol), ``pipeline``
(files to pooled vectors, in processes of their own), ``weights`` (finding and fetching what a front-end needs), ``pooling``
(vectors as bytes). Nothing heavy is imported here: torch loads only where a network runs, and numpy only after a worker
process has said how many threads it may use.
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library writes no log unless its user asks for one
