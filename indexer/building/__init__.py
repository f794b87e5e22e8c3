"""From a tile source to an index folder."""
