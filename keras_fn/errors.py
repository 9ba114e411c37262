"""The one form of a usage error: who, what was expected, what came, what to do."""


def _lines(source: str, expected: str, received: str, fix: str) -> str:
    return f"{source}\n  expected: {expected}\n  received: {received}\n  fix:      {fix}"


class SpecError(ValueError):
    """A value does not fit where it was put.

    Inner code states the bare fact; the layer or model that knows the place adds it with
    `located`, once.

    Args:
        who: What refused the value, for example `"ops.matmul"`.
        expected: What would have been accepted.
        given: What came instead.
        fix: What the user can do about it.
    """

    def __init__(self, source: str, *, expected: str, received: str, fix: str):
        super().__init__(_lines(source, expected, received, fix))
        self.source, self.expected, self.received, self.fix = source, expected, received, fix

    def located(self, place: str) -> "SpecError":
        """Returns the same error told from `place` (a layer, a model)."""
        return type(self)(
            f"{place}, in {self.source}",
            expected=self.expected,
            received=self.received,
            fix=self.fix,
        )


class DTypeError(SpecError, TypeError):
    """A `SpecError` about a type: also a TypeError."""


class UnsupportedError(NotImplementedError):
    """A backend cannot do at all what it was asked for.

    The conformance suite counts it as a gap of the backend, with the reason, not as a failure.

    Args:
        reason: What the backend lacks.
        fix: What the user can do instead.
    """

    def __init__(self, reason: str, *, fix: str):
        super().__init__(f"{reason}\n  fix: {fix}")
        self.reason, self.fix = reason, fix
