"""What targets.yaml may say, and reading it."""
