"""What a Layer is to JAX: a plain object. Its state is handed over by `stateless_call`."""


class LayerBase:
    """Base class of `Layer`."""
