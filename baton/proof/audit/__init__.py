"""The audit: an independent reader of all topics that checks the promises, on a live system or a
stopped one.

It reads ``read_committed`` with a client that the engine does not use, joins no group and commits
nothing. One pass over the topics sorts what it finds into buckets on disk, so that memory stays
bounded however long the log is; then each bucket is checked by itself.
"""
