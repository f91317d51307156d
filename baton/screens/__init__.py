"""What people ask of a running Baton: who is there, what waits, what is due, what would happen.

Each answer is a function of the agreement, absences and a bounded read: one compacted changelog by
pool, one partition, or an index of the board's file. None reads every lead. Commands print them.
"""
