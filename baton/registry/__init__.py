"""The read part of a schema registry's API, served from the schemas that are checked in.

Every Confluent deserializer works with it unchanged, so nobody needs a registry of their own for
Baton's topics. It registers nothing: schemas change with a release.
"""
