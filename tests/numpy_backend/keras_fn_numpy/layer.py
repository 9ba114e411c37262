"""What a Layer is to NumPy: a plain object."""


class LayerBase:
    """Base class of `Layer`."""
