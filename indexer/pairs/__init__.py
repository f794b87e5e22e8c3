"""From geotagged photos and a tile source to pairs for training."""
