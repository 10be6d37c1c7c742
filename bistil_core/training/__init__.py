"""Losses and the training steps: phase 1, task teacher, phase 2."""
