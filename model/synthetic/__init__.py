"""The synthetic planet: ground, tiles and panoramas as functions of a seed and a place."""
