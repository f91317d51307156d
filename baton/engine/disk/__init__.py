"""The state of tasks on disk: a store that outlives its process, and the directory in which the
stores of a worker lie. Needs the extra ``baton[disk]``."""
