"""A Ray cluster of several nodes, all of them on this machine."""

from contextlib import contextmanager

import pytest


@contextmanager
def ray_nodes(count):
    """A head that does not work, and nodes of a core each."""
    from ray.cluster_utils import Cluster

    try:
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(count):
            nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
    except Exception as error:  # noqa: BLE001 - whatever a machine without shared memory or free ports makes of it
        pytest.skip(f"no Ray cluster can be started here: {error}")
    try:
        yield nodes
    finally:
        nodes.shutdown()
