"""What ``lead`` does with each kind of input."""
