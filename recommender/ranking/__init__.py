"""Ranking: hard rules, slate building with Gumbel noise, variety, the dial, and the decomposition of a score."""
