"""The base class of layers on JAX: a plain object. Its state is passed to `stateless_call`."""


class LayerBase:
    """Base class of `Layer`."""
