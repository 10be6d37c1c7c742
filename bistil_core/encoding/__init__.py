"""Examples as rows of token ids that a model can read, and rows as batches; what several tasks share."""
