"""Tile sources behind one small interface: list the tiles cheaply, then read one."""
