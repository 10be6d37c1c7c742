"""One module per task: data, encoding, head, metric."""
