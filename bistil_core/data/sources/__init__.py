"""Where data comes from: one module per kind of source."""
