"""What ``dispatch`` does with each kind of input."""
