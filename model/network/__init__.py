"""CLNet, its backbones and its checkpoints; the encoder that answers with unit vectors."""
