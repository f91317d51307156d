"""Intake: everything of the outside comes in here, once, and under the name of one lead.

Three ways in, one format: HTTP (:mod:`.gateway`), ``leads.inbox.v1`` (:mod:`.admit`), lists
(``baton import``). What cannot be taken is answered with the field and the reason, or becomes a
dead letter; the rest goes on. :mod:`.identify` resolves identifiers to leads: each event is
accepted once, personal data goes its own way, links and merges keep the known lead, an erased
person stays erased.

It scores nothing and decides nothing about a lead.
"""
