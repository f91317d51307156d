"""The HTTP way in: Segment's calls and event lines, answered only after the brokers have them.

``202`` (``200`` for Segment's own clients, some of which know no other success) means: acknowledged
by the brokers, will be processed exactly once. ``4xx`` names the field; of a batch the good events
are taken and the bad ones listed by index. ``429`` and ``503`` say when to come again, and coming
again is safe: the same event is the same event.

It decides nothing about leads. Everything it reads is bounded: body, unpacked body, events, time,
requests at once.
"""
