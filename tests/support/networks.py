"""Sequential networks whose every weight says something: a fresh one has zeros that would hide what they multiply."""

import torch

from recommender.sequence.items import Items
from recommender.sequence.network import SequentialNetwork

SCATTER = 0.1


def scattered_network(log, content, config):
    """A network over a log's tracks and two stations, its weights moved about at random, as it serves."""
    torch.manual_seed(0)
    network = SequentialNetwork(Items.of(log, content, config.id_shrinkage), 2, config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * SCATTER)
    return network.eval()
