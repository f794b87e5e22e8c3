"""What all stages share: coordinates, checked decoding, files written whole, devices, errors."""
