"""The scorer: how good a lead is, how warm it is, where it stands, and when it is a person's turn.

It promises: a score is the fold of its entries, the same to the bit whatever the order of arrival,
and its explanation adds up to it; only an event raises a level and time lowers it when it says so;
a stage moves by one total table, each refusal with its reason; an MQL is made once a cycle and
cause; a merged lead's book arrives whole; an erased lead does not come back.

It does not choose pools or people (the router does), and it does not decide what follows a
rejection, a breach or the end of a cycle (the SLA watcher does).
"""
