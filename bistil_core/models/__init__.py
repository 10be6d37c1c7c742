"""The student's construction, model families and sparse fine-tunings."""
