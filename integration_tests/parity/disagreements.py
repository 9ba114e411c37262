"""Where real Keras 3.15.1 and this package disagree, by op and backend, and who is right."""

KNOWN: dict[tuple[str, str], str] = {}
