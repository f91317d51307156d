"""What ``clocks`` does with each kind of input."""
