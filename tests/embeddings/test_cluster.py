"""Embedding on a Ray cluster of several nodes, all of them on this machine."""

import threading

import numpy as np
import pytest

from embeddings.cluster import FILES_A_TASK, embed_on_cluster
from embeddings.pipeline import embed_many
from recommender.cluster import connection
from tests.support.library import write_songs
from tests.support.nodes import ray_nodes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    with ray_nodes(2) as nodes:
        yield nodes


def test_a_lost_node_and_a_bad_file_cost_nothing_else(cluster, weights, tmp_path):
    paths = write_songs(tmp_path, 2 * FILES_A_TASK + 3, 0.2)
    files = sorted(paths.iterdir())
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"RIFF")
    lost = threading.Timer(2.0, lambda: cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False))
    lost.start()
    with connection(cluster.address) as ray:
        results = list(embed_on_cluster(ray, [*files, damaged], "musicnn", weights))
    lost.join()
    assert sorted(result.index for result in results) == list(range(len(files) + 1))
    assert [result.path for result in results if result.error] == [damaged]
    alone = {result.path: result.embedding for result in embed_many(files, "musicnn", weights, workers=1)}
    for result in results:
        if result.embedding is not None:
            np.testing.assert_allclose(result.embedding.vector, alone[result.path].vector, atol=1e-5)
