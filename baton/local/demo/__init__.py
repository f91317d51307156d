"""The simulated company of ``baton demo``: who comes by, what the people of the firm do, and
whether the sums add up."""
