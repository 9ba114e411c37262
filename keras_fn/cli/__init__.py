"""The command `keras-fn`: one module for each of its commands.

`inspect` and `verify` read files as data: they import no backend and no layer.
"""
