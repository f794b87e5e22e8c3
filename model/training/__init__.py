"""One trainer: configuration, loss, optimizers, checkpoints, logs."""
