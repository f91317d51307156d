"""Sources that are described instead of programmed: ``sources.yaml``.

A description says how a source authenticates, how a body splits into records, and which JMESPath
gives each field of an event line. It is data: no code of it runs, every function in it is total,
and its examples are its tests. The gateway serves what is described here; ``baton source`` checks
and tests it without a broker.
"""
