"""What a user may write in config.yaml: one small module per section, no heavy import."""
