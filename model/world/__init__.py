"""The synthetic world: a procedural planet that yields tiles and panoramas which truly correspond.

A deterministic function of (seed, position). It shows no real place, and says so in everything made from it.
"""
