"""What `load_state_dict` found: which weight came from which tensor, and what did not match."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from keras_fn.saving.errors import ModelFileError, sanitize_for_display

_MAX_LISTED = 3  # of each kind, in an error message
_NAME_CHARACTERS = 60


class Match(NamedTuple):
    """A weight and where its value comes from.

    Attributes:
        weight: The path of the weight in the model.
        tensors: The names of the tensors that its value is made of.
        change: How the value is adapted, for example `"transposed"`; empty if it is the same.
    """

    weight: str
    tensors: tuple[str, ...]
    change: str


class ShapeDifference(NamedTuple):
    """A weight and tensors of its name that do not fit it.

    Attributes:
        weight: The path of the weight in the model.
        tensors: The names of the tensors.
        expected: The shape and dtype of the weight.
        received: The shape and dtype of the tensors.
    """

    weight: str
    tensors: tuple[str, ...]
    expected: str
    received: str


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """The result of `keras.saving.load_state_dict`. Rich prints it as a table.

    Attributes:
        matched: The weights that have a value.
        missing: The paths of weights for which there is no tensor.
        unexpected: The names of tensors for which there is no weight.
        shape_differs: Weights and tensors of the same name that do not fit.
        ignored: The names of tensors that were left out: by `rename`, or because they only count
            batches.
        suggestions: Entries of `rename` that would match what is missing, where there is only one
            possibility.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="fc")])
        >>> tensors = {"fc.weight": np.ones((2, 3)), "scale": np.ones(())}
        >>> report = keras.saving.load_state_dict(model, tensors, strict=False)
        >>> isinstance(report, keras.saving.LoadReport), report.is_complete
        (True, False)
        >>> report.unexpected, [name.rpartition("/")[2] for name in report.missing]
        (('scale',), ['bias'])
    """

    matched: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    shape_differs: tuple[ShapeDifference, ...] = ()
    ignored: tuple[str, ...] = ()
    suggestions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def transposed(self) -> tuple[Match, ...]:
        """The matches whose axes are in another order."""
        return tuple(match for match in self.matched if "transposed" in match.change)

    @property
    def is_complete(self) -> bool:
        """Whether every weight has a value, and every tensor a weight."""
        return not (self.missing or self.unexpected or self.shape_differs)

    def summary(self) -> str:
        """Returns the numbers of matches and differences in one line."""
        counts = {
            "matched": self.matched,
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of another shape": self.shape_differs,
            "transposed": self.transposed,
        }
        return ", ".join(f"{len(found)} {label}" for label, found in counts.items())

    def rows(self) -> list[tuple[str, str, str]]:
        """Returns the lines of the table: the weight, the tensors, and what is to be said."""
        return [
            *((m.weight, _joined(m.tensors), m.change or "matched") for m in self.matched),
            *(
                (d.weight, _joined(d.tensors), f"shape differs: {d.received} for {d.expected}")
                for d in self.shape_differs
            ),
            *((weight, "", "missing") for weight in self.missing),
            *(("", _shown(tensor), "unexpected") for tensor in self.unexpected),
            *(("", _shown(tensor), "ignored") for tensor in self.ignored),
        ]

    def __str__(self) -> str:
        lines = [" | ".join(row) for row in self.rows()]
        return "\n".join([self.summary(), *lines])

    def __rich__(self) -> Table:
        table = Table(title=self.summary(), title_justify="left")
        for heading in ("weight", "tensor", ""):
            table.add_column(heading, overflow="fold")
        for row in self.rows():
            table.add_row(*map(Text, row))  # names of tensors are not markup
        return table


class StateDictError(ModelFileError):
    """The tensors of a state dict and the weights of a model do not match.

    Args:
        source: The name of the file.
        report: The report.

    Attributes:
        report: What matched, and what did not.
    """

    def __init__(self, source: str, report: LoadReport):
        super().__init__(
            f"{source}: {report.summary()}; nothing was assigned",
            expected=_few([d.weight for d in report.shape_differs] + list(report.missing)),
            received=_few([_received(d) for d in report.shape_differs] + list(report.unexpected)),
            fix=_fix(report),
        )
        self.report = report


def _received(difference: ShapeDifference) -> str:
    return f"{_joined(difference.tensors)} {difference.received} for {difference.expected}"


def _fix(report: LoadReport) -> str:
    if report.suggestions:
        few = dict(list(report.suggestions.items())[:_MAX_LISTED])
        more = ", ..." if len(few) < len(report.suggestions) else ""
        return f"pass rename={str(few)[:-1]}{more}}}; all of it is in error.report.suggestions"
    return "print error.report, pass rename= for other names, or strict=False to load what matches"


def _few(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(_shown(name) for name in names[:_MAX_LISTED]) + more


def _joined(names: Iterable[str]) -> str:
    return " + ".join(map(_shown, names))


def _shown(name: str) -> str:
    return sanitize_for_display(name, _NAME_CHARACTERS)
