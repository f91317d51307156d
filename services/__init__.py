"""The services: each a few reducers and its own edges. They share topics, never code."""
