"""An index that lives: tiles added, replaced and removed, indexes merged, split and compacted."""
