"""What `python -m service up` makes before it serves: a region, an index, its calibration."""
