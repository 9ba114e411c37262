"""Where real Keras 3.15.1 and this package disagree, by op and backend, and who is right."""

KNOWN: dict[tuple[str, str], str] = {}

KNOWN_IN_TRAINING: dict[str, dict[str, str]] = {}
"""By loss, metric or optimizer: a part of what the test says of the call, and who is right."""
