"""Where a model family keeps its layers and embeddings: one module per family."""
