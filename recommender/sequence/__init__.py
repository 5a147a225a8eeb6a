"""The sequential model in torch: its tracks, network, negatives, objective, and validation.

``recommender.training`` trains it and ``recommender.models.numpy_inference`` serves it. ``items``, ``negatives``, ``windows`` and
``batches`` are plain numpy; the others need torch.
"""
