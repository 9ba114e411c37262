"""The base class of layers on NumPy: a plain object."""


class LayerBase:
    """Base class of `Layer`."""
