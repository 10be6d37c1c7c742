"""The synthetic world that the default configuration runs in."""
