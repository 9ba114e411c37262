"""The conformance suite: the semantics of every op, tested on a backend.

    KERAS_BACKEND=mine pytest --pyargs keras_fn.testing.conformance

The table (`table/`, a module for each chapter of `keras_fn.ops`) specifies how the arguments of
each op are drawn, and its NumPy reference. The tests draw calls from the table. A new backend needs
no additional tests.
"""
