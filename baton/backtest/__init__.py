"""What another agreement would have done to the leads there were: both agreements over the same
facts, beside what history says.

Decisions are replayed, by the scorer's own reducer and the agreement's own rules; acts of people
are joined to the hand-offs they were about, never replayed. What cannot be judged is reported as
not evaluable.
"""
