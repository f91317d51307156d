"""A quarter of a team on demand that is described: how long leads wait, which promises break, and
how many people a pool needs.

People work on one lead at a time in their own hours, so waiting comes from load. Demand and habits
are assumptions of whoever wrote the file; what comes out is what follows from them.
"""
