import pytest

from recommender.cluster import ClusterError, connection


@pytest.mark.slow
@pytest.mark.parametrize(("address", "why"), [("127.0.0.1:1", "refused"), ("somewhere", "HOST:PORT")])
def test_an_address_where_there_is_no_cluster_is_named(address, why):
    with pytest.raises(ClusterError, match=rf"no Ray cluster at {address} \(.*{why}"), connection(address):
        pass
