"""One evaluator: protocols, ground truth, ranking, metrics, stored embeddings."""
