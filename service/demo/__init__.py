"""The demo: a synthetic region rendered, indexed, calibrated and asked over HTTP."""
