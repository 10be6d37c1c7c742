"""What a configuration will take, before it is run."""
