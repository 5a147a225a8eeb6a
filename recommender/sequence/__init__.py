"""The parts of the sequential model: inputs, network, losses and targets, its validation, and its modes and ablations.

``recommender.training.sequential`` trains it and ``recommender.models.numpy_inference`` serves it. ``items``, ``shapes``, ``token_features`` and ``windows`` are
plain numpy; the others need torch.
"""
