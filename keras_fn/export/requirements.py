"""The libraries that formats need."""

from collections.abc import Mapping

from keras_fn.settings import is_installed


def require(libraries: Mapping[str, str], source: str, purpose: str) -> None:
    """Raises an error if a library is not installed.

    Args:
        libraries: The argument of `pip install` for each module.
        source: What needs them, for the error.
        purpose: What they are needed for, for the error.

    Raises:
        ImportError: One is missing.
    """
    missing = [pip for module, pip in libraries.items() if not is_installed(module)]
    if missing:
        raise ImportError(
            f"{source}\n"
            f"  expected: {' and '.join(libraries.values())}, to write {purpose}\n"
            f"  received: an environment without {' and '.join(missing)}\n"
            f"  fix:      pip install {' '.join(missing)}"
        )
