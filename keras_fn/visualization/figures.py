"""Matplotlib figures, if Matplotlib is installed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(source: str, figsize: tuple[float, float]) -> "Figure":
    """Returns an empty Matplotlib figure.

    Args:
        source: Name of the caller, for the error message.
        figsize: Width and height in inches.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"{source} needs Matplotlib.\n  fix: pip install 'keras-fn[plot]'"
        ) from error
    return Figure(figsize=figsize, layout="constrained")
