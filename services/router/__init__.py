"""The router: who holds a qualified lead.

It promises: each qualification is routed once, to a person of the pool that the agreement names, in
a turn that is exactly fair; a lead that nobody can take waits in a queue that is published, never
in silence; a hand-off is closed exactly once; whoever was notified of one that is taken away is
notified so.

Three reducers, one after the other: ``dispatch`` (per lead) owns the hand-off, ``matching`` (per
account) chooses the pool, ``assignment`` (per pool) chooses the person. The router moves no stage
(the scorer does) and decides nothing after a breach or a rejection (the SLA watcher does): it
carries out what these decide.
"""
