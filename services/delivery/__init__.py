"""Delivery: carries hand-offs, warnings and decisions to systems and people, and brings back what
they answer.

It only reads public topics. What comes back (a click, a change in the CRM, a booking) goes to
``leads.inbox.v1`` as an event from outside, like any other.
"""
