"""From scores to structures: trees from arc scores, answers from span scores."""
