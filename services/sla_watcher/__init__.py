"""The SLA watcher: whether both sides keep what they agreed, and what happens where they do not.

It promises: a clock of a lead ends once and is never judged early; an act that reached Baton
before a deadline is never judged late; a breach, a rejection and the end of a cycle are always
followed by a next holder or a next date; both sides' goals are counted from the same facts. It
decides what happens after a breach, a rejection or an end, and nobody else does.

It does not move stages (the scorer does), nor hand-offs (the router does): it asks for both by
facts of its own.
"""
