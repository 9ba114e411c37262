"""State dicts of PyTorch, also as Hugging Face publishes them, into the weights of a model."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO

from keras_fn.errors import SpecError, find_similar
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.state_dict.load_report import LoadReport, StateDictError
from keras_fn.saving.state_dict.state_dict_matching import (
    list_targets,
    match,
    suggest,
)
from keras_fn.saving.state_dict.state_dict_sources import StateDict, open_state_dict
from keras_fn.types import AnyModel, PathLike

Rename = Mapping[str, str | None] | Sequence[tuple[str, str | None]]
"""New names for tensors: by their names or those of their modules, or by regular expressions."""

_IGNORED = "num_batches_tracked"  # of batch normalization, which does not use it


def load_state_dict(
    model: AnyModel,
    source: StateDict | PathLike | BinaryIO,
    rename: Rename | None = None,
    strict: bool = True,
    key: str | None = None,
) -> LoadReport:
    """Loads the state dict of a PyTorch module, as a file from Hugging Face has it, into a model.

    The tensors of a module belong to the layer of the same name or path: `fc1.weight` is the kernel
    of the layer `fc1`. Names of parameters and orders of axes are converted: a kernel is the
    transposed weight of `Linear`, `running_var` is `moving_variance`. A tensor that has the name of
    the weight itself, `fc1.kernel`, is taken as it is. All weights are set, or none if there is an
    error. No code of a file is executed.

    Args:
        model: A built model.
        source: A dictionary of tensors or arrays; or the path of a `.safetensors` file, the index
            of several, or a `.pt` file that `torch.save` wrote; also `hf://user/repo/file` with
            `huggingface_hub` installed.
        rename: New names for tensors, before they are matched. A dictionary from names, of tensors
            or of modules, to those of weights or layers: `{"encoder.0": "dense"}`; or a list of
            regular expressions with replacements, which are applied in turn:
            `[(r"^model\\.", "")]`. None as a replacement leaves tensors out.
        strict: Whether every weight must have a tensor, and every tensor a weight. If False, what
            matches is loaded, and the report tells the rest. Default True.
        key: The entry of a checkpoint that holds the state dict, such as `"model"`. By default the
            only one with nothing but tensors.

    Returns:
        The report: what matched, is missing, unexpected or of another shape, what was transposed.

    Raises:
        StateDictError: Names or shapes do not match. Its attribute `report` tells all of it, with
            entries of `rename` that would match where there is only one possibility.
        ModelFileError: The model is not built, the file is malformed, or it has no entry `key`.
        ValueError: An entry of `rename` matches no tensor.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="fc")])
        >>> tensors = {"net.weight": np.ones((2, 3)), "net.bias": np.zeros(2)}
        >>> report = keras.saving.load_state_dict(model, tensors, rename={"net": "fc"})
        >>> print(report)
        2 matched, 0 missing, 0 unexpected, 0 of another shape, 1 transposed
        sequential.../fc/kernel | net.weight | transposed
        sequential.../fc/bias | net.bias | matched
    """
    if not getattr(model, "built", False):
        raise ModelFileError(
            f"{type(model).__name__} is not built, so it has no weights yet",
            fix="call the model on data, or build(input_shape), before",
        )
    with open_state_dict(source, key) as (name, tensors):
        names, ignored = _renamed(list(tensors), rename)
        targets = list_targets(model)
        renamed = {new: (old, tensors[old]) for new, old in names.items()}
        pairs, report = match(targets, renamed)
        report = dataclasses.replace(report, ignored=tuple(ignored))
        if not report.is_complete and (strict or not report.matched):
            suggestions = suggest(targets, report, renamed)
            raise StateDictError(name, dataclasses.replace(report, suggestions=suggestions))
        with model_file_errors(name):
            values = [(pair.target.variable, pair.read()) for pair in pairs]
    for variable, value in values:
        variable._assign_new_array(value)
    for layer in {id(t.saveable.owner): t.saveable.owner for t in targets}.values():
        layer._after_load()
    return report


# ---------------------------------------------------------------- names


def _renamed(names: Sequence[str], rename: Rename | None) -> tuple[dict[str, str], list[str]]:
    """Returns the tensors by their new names, with slashes between the parts, and those left out.

    Raises:
        SpecError: `rename` is malformed or an entry of it matches no tensor, or two tensors get the
            same name.
    """
    replace = _replacements(rename, names)
    found: dict[str, str] = {}
    ignored = []
    for name in names:
        new = replace(name)
        if new is None or new.rpartition(".")[2] == _IGNORED:
            ignored.append(name)
            continue
        path = new.replace(".", "/")
        if path in found:
            raise SpecError(
                "load_state_dict",
                expected="another name for each tensor",
                received=" and ".join(sanitize_for_display(n, 100) for n in (found[path], name))
                + f", which both become {sanitize_for_display(new, 100)}",
                fix="correct rename=, or leave one of them out with None as its replacement",
            )
        found[path] = name
    return found, ignored


def _replacements(rename: Rename | None, names: Sequence[str]) -> Callable[[str], str | None]:
    """Returns the function from old to new names, None for tensors to leave out."""
    if not rename:
        return lambda name: name
    if isinstance(rename, Mapping):
        table = dict(rename)
        _check_pairs(table.items())
        starts = {start for name in names for start in _starts(name)}
        _check_used((old for old in table if old not in starts), names)
        return partial(_replace_start, table)
    _check_pairs(rename)
    patterns = [(_compile(pattern), new) for pattern, new in rename]
    used: set[str] = set()
    for name in names:
        used |= {p.pattern for p, _ in patterns if p.search(_replace(patterns, name, p) or "")}
    _check_used((p.pattern for p, _ in patterns if p.pattern not in used), names)
    return partial(_replace, patterns)


def _check_pairs(pairs: Any) -> None:
    """Raises an error unless `rename` holds pairs of a text and a text or None."""
    for pair in [pairs] if isinstance(pairs, str) else pairs:
        is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
        if not is_pair or not isinstance(pair[0], str) or not isinstance(pair[1], str | None):
            raise SpecError(
                "load_state_dict",
                expected="rename: a dictionary of names, or a list of (pattern, replacement)",
                received=repr(pair)[:100],
                fix='for example rename={"encoder.0": "dense"}',
            )


def _starts(name: str) -> list[str]:
    """Returns a name and the names of the modules that it is in, the longest first."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(len(parts), 0, -1)]


def _replace_start(table: Mapping[str, str | None], name: str) -> str | None:
    for start in _starts(name):
        if start in table:
            new = table[start]
            return None if new is None else (new + name[len(start) :]).lstrip(".")
    return name


def _replace(
    patterns: Sequence[tuple[re.Pattern, str | None]], name: str, until: re.Pattern | None = None
) -> str | None:
    """Returns a name with all replacements, or with those before the pattern `until`."""
    for pattern, new in patterns:
        if pattern is until:
            break
        if new is not None:
            name = pattern.sub(new, name)
        elif pattern.search(name):
            return None
    return name


def _compile(pattern: str) -> re.Pattern:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SpecError(
            "load_state_dict",
            expected="regular expressions in rename",
            received=f"{pattern!r}: {error}",
            fix="escape characters of a plain name with re.escape",
        ) from error


def _check_used(unused: Iterable[str], names: Sequence[str]) -> None:
    for name in unused:
        near = [sanitize_for_display(n, 100) for n in find_similar(name, names, 1) or names[:1]]
        raise SpecError(
            "load_state_dict",
            expected="entries of rename that match a tensor",
            received=f"{name!r}, which matches none",
            fix=f"did you mean {near[0]!r}?" if near else "the state dict is empty",
        )
