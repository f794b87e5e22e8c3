"""Tiles as a table with places, regions, and the sources that they are read from."""
