"""Closed loops with invented listeners of a known taste; every figure that comes of it is to be called simulation.

    from recommender.simulation import Plan, simulate
    from recommender.simulation.policies import untrained
    from recommender.simulation.world import clustered_world

    run = simulate(clustered_world(5000, seed=0), untrained, Plan(), seed=0)

``report`` puts many runs together.
"""

from recommender.simulation.loop import BREADTH, DIVERSITY, Check, Plan, Run, simulate

__all__ = ["BREADTH", "DIVERSITY", "Check", "Plan", "Run", "simulate"]
