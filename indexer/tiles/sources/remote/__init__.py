"""Tile sources that are addresses: fetched politely, and only where that was allowed."""
