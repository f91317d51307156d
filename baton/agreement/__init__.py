"""The agreement: the one file that marketing and sales sign, read, checked, compiled, published and
folded.

``model`` is what people write, ``compiled`` what reducers ask, ``reference`` which version is in
force when. Nothing here knows a lead's state; nothing in the compiled part reads a clock, draws a
random number or does I/O.
"""
