"""Data sets as lists of paths and coordinates, and the loaders that turn them into batches."""
