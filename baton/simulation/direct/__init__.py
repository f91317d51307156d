"""The flow in memory for a simulation that nobody asks afterwards: reducers are called directly,
records and states are handed on as the values that they are.

A task here can neither crash nor abort and restores nothing, so there is no changelog, no journal,
no overlay and no encoding; a record is gone once everybody has read it. What stays is what decides:
the order of everything, log time, timers, proofs, adoptions and every id are those of
:mod:`baton.engine.memory`, and a test compares the facts to the bit.
"""
