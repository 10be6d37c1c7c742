"""Scores, speed, the production model and the result file."""
