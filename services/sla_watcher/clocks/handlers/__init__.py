"""What ``clocks`` does with the kinds of its input."""
