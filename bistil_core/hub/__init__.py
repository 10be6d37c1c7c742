"""Fetching from the Hugging Face hub: the only code that touches the network."""
