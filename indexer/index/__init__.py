"""An index folder: written, checked, opened, searched."""
