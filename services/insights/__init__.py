"""The board: a durable projection of the public facts, and the web pages that both teams read.

It only reads public topics. What people do on a page goes to ``leads.inbox.v1`` as an event of the
outside, like any other.
"""
