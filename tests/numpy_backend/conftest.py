"""These tests need an environment with this backend: `nox -s example_backend`."""

import os

collect_ignore = [] if os.environ.get("KERAS_BACKEND") == "numpy" else ["tests"]
