"""The conformance suite: what every op means, and whether a backend does it.

    KERAS_BACKEND=mine pytest --pyargs keras_fn.testing.conformance

One table (`table/`) says for each op how its arguments are drawn and what NumPy makes of them; the
tests beside it draw from the table. A new backend adds no test.
"""
