"""From a photo to matches and one position."""
