"""Closed loops with invented listeners of a known taste; every figure that comes of it is to be called simulation.

    from bench.simulation import Plan, simulate
    from bench.simulation.policies import untrained
    from bench.simulation.world import clustered_world

    run = simulate(clustered_world(5000, seed=0), untrained, Plan(), seed=0)

``report`` puts many runs together.
"""

from bench.simulation.loop import BREADTH, DIVERSITY, Check, Plan, Run, simulate

__all__ = ["BREADTH", "DIVERSITY", "Check", "Plan", "Run", "simulate"]
