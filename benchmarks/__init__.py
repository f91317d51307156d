"""What Baton costs, against what it could have been made of: one run, the same events, real Kafka.

``python -m benchmarks`` (``make bench``) measures everything, each thing in a process of its own,
and prints one table; see ``docs/BENCHMARKS.md``. The modules that measure without a broker can be
run alone too.
"""
