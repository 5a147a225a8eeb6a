"""Embedding on a Ray cluster of several nodes, all of them on this machine."""

import threading

import numpy as np
import pytest

from embeddings.cluster import FILES_A_TASK, embed_on_cluster
from embeddings.errors import EmbeddingError
from embeddings.pipeline import embed_many
from tests.support.library import write_songs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """A head that does not work, and two nodes of a core each."""
    from ray.cluster_utils import Cluster

    try:
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
    except Exception as error:  # noqa: BLE001 - whatever a machine without shared memory or free ports makes of it
        pytest.skip(f"no Ray cluster can be started here: {error}")
    yield nodes
    nodes.shutdown()


def test_a_lost_node_and_a_bad_file_cost_nothing_else(cluster, weights, tmp_path):
    paths = write_songs(tmp_path, 2 * FILES_A_TASK + 3, 0.2)
    files = sorted(paths.iterdir())
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"RIFF")
    lost = threading.Timer(2.0, lambda: cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False))
    lost.start()
    results = list(embed_on_cluster([*files, damaged], "musicnn", weights, address=cluster.address))
    lost.join()
    assert sorted(result.index for result in results) == list(range(len(files) + 1))
    assert [result.path for result in results if result.error] == [damaged]
    alone = {result.path: result.embedding for result in embed_many(files, "musicnn", weights, workers=1)}
    for result in results:
        if result.embedding is not None:
            np.testing.assert_allclose(result.embedding.vector, alone[result.path].vector, atol=1e-5)


@pytest.mark.parametrize(("address", "why"), [("127.0.0.1:1", "refused"), ("somewhere", "HOST:PORT")])
def test_an_address_where_there_is_no_cluster_is_named(weights, address, why):
    with pytest.raises(EmbeddingError, match=rf"no Ray cluster at {address} \(.*{why}"):
        next(embed_on_cluster([], "musicnn", weights, address=address))
