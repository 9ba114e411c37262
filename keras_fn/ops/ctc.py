"""Connectionist temporal classification (CTC): loss and decoding of unaligned label sequences."""

from __future__ import annotations

import typing
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from keras_fn.backend.contract import SupportsCompileCall
from keras_fn.backend.loader import current, supports
from keras_fn.core import dtypes
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.activations import log_softmax
from keras_fn.ops.arithmetic import add, maximum, multiply, negative, subtract
from keras_fn.ops.control_flow import scan
from keras_fn.ops.core import cast, shape as shape_of
from keras_fn.ops.creation import arange, full, full_like, zeros
from keras_fn.ops.encoding import one_hot
from keras_fn.ops.indexing import getitem, take_along_axis
from keras_fn.ops.joining_splitting import concatenate, stack
from keras_fn.ops.linalg.products import matmul
from keras_fn.ops.logic import equal, greater, less, logical_and, logical_not, not_equal, where
from keras_fn.ops.manipulation import broadcast_to, expand_dims, pad, reshape, swapaxes, transpose
from keras_fn.ops.math import logaddexp
from keras_fn.ops.reductions import argmax, logsumexp, max as max_, sum as sum_
from keras_fn.ops.sorting_searching import argsort, top_k
from keras_fn.types import Tensor, TensorLike

_LOG_ZERO = -1e30
"""The logarithm of probability 0. It is finite: infinities would make gradients NaN."""


def _is_log_zero(x: Tensor) -> Tensor:
    return less(x, 0.1 * _LOG_ZERO)


@cache
def _compiled(backend: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function, compiled if the backend supports it: loops are slow in eager mode."""
    if not supports("compile_call"):
        return function
    return typing.cast(SupportsCompileCall, backend).compile_call(function, [])


# ---------------------------------------------------------------- the loss


def _ctc_loss(
    target: TensorSpec,
    output: TensorSpec,
    target_length: TensorSpec,
    output_length: TensorSpec,
    mask_index: int = 0,
) -> TensorSpec:
    source = "ops.ctc_loss"
    _check_lengths(source, output, output_length)
    if not is_compatible(target.shape, (output.shape[0], None)):
        raise SpecError(
            source,
            expected="target of shape (batch, labels) and output of shape (batch, time, classes)",
            received=f"target of shape {target.shape}, output of shape {output.shape}",
            fix="pad the labels of the samples to one length",
        )
    if not is_compatible(target_length.shape, output.shape[:1]):
        raise _lengths_error(source, "target_length", target_length)
    _check_blank(source, output, mask_index)
    return TensorSpec((output.shape[0],), dtypes.float_type(output.dtype, "float32"))


def _check_lengths(source: str, output: TensorSpec, output_length: TensorSpec) -> None:
    if len(output.shape) != 3:
        raise SpecError(
            source,
            expected="classes of shape (batch, time, classes)",
            received=f"shape {output.shape}",
            fix="add the batch axis",
        )
    if not is_compatible(output_length.shape, output.shape[:1]):
        raise _lengths_error(source, "the lengths of the sequences", output_length)


def _check_blank(source: str, output: TensorSpec, mask_index: int) -> None:
    classes = output.shape[2]
    if classes is not None and not 0 <= mask_index < classes:
        raise SpecError(
            source,
            expected=f"mask_index, the blank: one of {classes} classes",
            received=f"mask_index={mask_index}",
            fix="pass the index of the blank class",
        )


def _lengths_error(source: str, name: str, lengths: TensorSpec) -> SpecError:
    return SpecError(
        source,
        expected=f"{name}: integers of shape (batch,)",
        received=f"shape {lengths.shape}",
        fix="pass one length for each sample",
    )


@op(rule=Rule(_ctc_loss))
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """Connectionist temporal classification (CTC) loss: the negative log-likelihood of the labels.

    The likelihood sums over all alignments of the labels to the time steps. An alignment assigns a
    label or the blank to each step; labels keep their order, a label may take several steps, and
    equal adjacent labels are separated by a blank.

    Args:
        target: Class indices of shape `(batch, labels)`, padded with any values.
        output: Logits of shape `(batch, time, classes)`.
        target_length: Number of labels of each sample, of shape `(batch,)`.
        output_length: Number of time steps of each sample, of shape `(batch,)`.
        mask_index: Index of the blank class.

    Returns:
        A tensor of shape `(batch,)`, in float32 at least. If the labels do not fit into the time
        steps, the loss is infinite and its gradient 0.

    Raises:
        ValueError: The shapes do not match, or `mask_index` is out of range.

    Example:
        >>> loss = ctc_loss([[1]], zeros((1, 2, 2)), [1], [2])  # 3 of 4 alignments
        >>> print(convert_to_numpy(loss).round(3))
        [0.288]

    References:
        Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
        with Recurrent Neural Networks", 2006.

    Note:
        For labels that do not fit, Keras 3 returns infinity on PyTorch, elsewhere large numbers.
    """
    specs = [spec_of(x) for x in (target, output, target_length, output_length)]
    dtype = _ctc_loss(*specs, mask_index=mask_index).dtype
    lengths = (cast(n, "int32") for n in (target_length, output_length))
    function = _compiled(current(), _loss_function(mask_index))
    return function(cast(target, "int32"), cast(output, dtype), *lengths)


@cache
def _loss_function(blank: int) -> Callable[..., Tensor]:
    return partial(_forward, blank=blank)


def _forward(
    target: Tensor, output: Tensor, target_length: Tensor, output_length: Tensor, blank: int
) -> Tensor:
    """Runs the forward algorithm: `alpha[s]` is the log-probability of state s of the labels.

    The states are the labels with a blank before, between and after them.
    """
    batch, labels = shape_of(target)
    time = shape_of(output)[1]
    log_p = log_softmax(output)
    inside = less(arange(labels, dtype="int32"), expand_dims(target_length, 1))
    target = where(inside, target, blank)
    states = stack([full((batch, labels), blank, "int32"), target], 2)
    states = pad(reshape(states, (batch, 2 * labels)), ((0, 0), (0, 1)), constant_values=blank)
    # A transition from a label directly to the next, if they differ. A blank among the labels is
    # one of them, as in the kernels of PyTorch and TensorFlow.
    skips = not_equal(states, _shift_right(states, 2, blank))
    index = broadcast_to(expand_dims(states, 1), (batch, time, 2 * labels + 1))
    steps = swapaxes(take_along_axis(log_p, index, axis=2), 0, 1)
    active = less(expand_dims(arange(time, dtype="int32"), 1), output_length)

    def step(alpha: Tensor, slices: Any) -> Any:
        log_p, is_active = slices
        skipped = where(skips, _shift_right(alpha, 2, _LOG_ZERO), _LOG_ZERO)
        incoming = [alpha, _shift_right(alpha, 1, _LOG_ZERO), skipped]
        new = add(logsumexp(stack(incoming), 0), log_p)
        return where(expand_dims(is_active, 1), new, alpha), None

    # The initial state is a blank before the first step.
    start = where(equal(arange(2 * labels + 1), 0), 0.0, _LOG_ZERO)
    start = broadcast_to(cast(start, spec_of(log_p).dtype), (batch, 2 * labels + 1))
    alpha, _ = scan(step, start, (steps, active))
    last = expand_dims(multiply(target_length, 2), 1)
    at_blank = take_along_axis(alpha, last, 1)
    at_label = take_along_axis(alpha, maximum(subtract(last, 1), 0), 1)
    at_label = where(greater(last, 0), at_label, _LOG_ZERO)
    loss = negative(getitem(logaddexp(at_blank, at_label), (slice(None), 0)))
    return where(_is_log_zero(negative(loss)), float("inf"), loss)


def _shift_right(x: Tensor, by: int, fill: float) -> Tensor:
    """Shifts the rows of a matrix to the right."""
    x = pad(x, ((0, 0), (by, 0)), constant_values=fill)
    return getitem(x, (slice(None), slice(None, -by)))


# ---------------------------------------------------------------- decoding


def _ctc_decode(
    inputs: TensorSpec,
    sequence_lengths: TensorSpec,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[TensorSpec, TensorSpec]:
    source = "ops.ctc_decode"
    _check_lengths(source, inputs, sequence_lengths)
    _check_blank(source, inputs, mask_index)
    if strategy not in ("greedy", "beam_search"):
        raise SpecError(
            source,
            expected="strategy: 'greedy' or 'beam_search'",
            received=f"strategy={strategy!r}",
            fix="choose one of them",
        )
    max_paths = 1 if strategy == "greedy" else beam_width
    if not 1 <= top_paths <= max_paths:
        raise SpecError(
            source,
            expected=f"top_paths from 1 to {max_paths}, the number of results of {strategy}",
            received=f"top_paths={top_paths}",
            fix="use strategy='beam_search' with more beams",
        )
    batch, time = inputs.shape[:2]
    scores = TensorSpec((batch, top_paths), dtypes.float_type(inputs.dtype, "float32"))
    return TensorSpec((top_paths, batch, time), "int32"), scores


@op(rule=Rule(_ctc_decode))
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """Decodes the output of a CTC model into the most likely label sequences.

    Args:
        inputs: Logits of shape `(batch, time, classes)`.
        sequence_lengths: Number of time steps of each sample, of shape `(batch,)`.
        strategy: `"greedy"` takes the best class of each step; `"beam_search"` keeps the
            `beam_width` most likely prefixes, each summed over its alignments.
        beam_width: Number of prefixes that a beam search keeps.
        top_paths: Number of results of a beam search.
        merge_repeated: Whether equal adjacent classes without a blank between them are one label,
            as in `ctc_loss`.
        mask_index: Index of the blank class.

    Returns:
        The labels as integers of shape `(top_paths, batch, time)`, padded with -1; and scores of
        shape `(batch, top_paths)`, in float32 at least: log-probabilities for a beam search, -inf
        where there are fewer paths; for the greedy strategy the negated sum of the best logits.

    Raises:
        ValueError: The shapes do not match, `strategy` is unknown, `top_paths` exceeds the number
            of beams, or `mask_index` is out of range.

    Example:
        >>> logits = one_hot([[1, 1, 0, 1, 2]], 3)
        >>> convert_to_numpy(ctc_decode(logits, [5])[0]).tolist()
        [[[1, 1, 2, -1, -1]]]

    References:
        Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
        with Recurrent Neural Networks", 2006.

    Note:
        Keras 3 ignores `merge_repeated` in a beam search.
    """
    options = (strategy, beam_width, top_paths, merge_repeated, mask_index)
    dtype = _ctc_decode(spec_of(inputs), spec_of(sequence_lengths), *options)[1].dtype
    inputs, lengths = cast(inputs, dtype), cast(sequence_lengths, "int32")
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    function = _search_function(beam_width, top_paths, merge_repeated, mask_index)
    return _compiled(current(), function)(inputs, lengths)


def _greedy(
    inputs: Tensor, lengths: Tensor, merge_repeated: bool, blank: int
) -> tuple[Tensor, Tensor]:
    steps = arange(shape_of(inputs)[1], dtype="int32")
    active = less(steps, expand_dims(lengths, 1))
    score = negative(sum_(where(active, max_(inputs, -1), 0), -1, True))
    best = argmax(inputs, -1)
    kept = logical_and(active, not_equal(best, blank))
    if merge_repeated:
        kept = logical_and(kept, not_equal(best, _shift_right(best, 1, -1)))
    kept = cast(kept, "int32")
    # A stable sort moves the kept labels to the front and preserves their order.
    path = take_along_axis(best, argsort(subtract(1, kept), 1), 1)
    path = where(less(steps, sum_(kept, 1, True)), path, -1)
    return expand_dims(path, 0), score


@cache
def _search_function(
    beam_width: int, top_paths: int, merge_repeated: bool, blank: int
) -> Callable[..., Any]:
    return partial(_search, width=beam_width, top=top_paths, merges=merge_repeated, blank=blank)


# Prefixes are compared by two hashes of 32 bits: comparing labels would dominate the run time.
_HASH = (1000003, 69069)


def _search(
    logits: Tensor, lengths: Tensor, width: int, top: int, merges: bool, blank: int
) -> tuple[Tensor, Tensor]:
    """Prefix beam search. Each beam is a prefix, and `total` its log-probability.

    The log-probability has two parts: alignments that end in a blank, and those that end in the
    last label of the prefix.
    """
    log_p = log_softmax(logits)
    batch, time, _ = shape_of(log_p)
    dtype = spec_of(log_p).dtype
    # Time steps after the end of a sequence change nothing.
    active = less(expand_dims(arange(time, dtype="int32"), 1), lengths)

    def step(state: Any, slices: Any) -> Any:
        log_p, is_active = slices
        new = _extend_beams(state, log_p, width, merges, blank)
        selected = []
        for updated, old in zip(new, state, strict=True):
            mask = expand_dims(is_active, tuple(range(1, len(old.shape))))
            selected.append(where(mask, updated, old))
        return tuple(selected), None

    first = broadcast_to(expand_dims(equal(arange(width), 0), 0), (batch, width))
    none = zeros((batch, width), "int32")
    state = (
        full((batch, width, time), -1, "int32"),  # labels
        none,  # number of labels
        full((batch, width), -1, "int32"),  # last label
        *(none for _ in _HASH),
        cast(where(first, 0.0, _LOG_ZERO), dtype),  # alignments that end in a blank
        full((batch, width), _LOG_ZERO, dtype),  # alignments that end in the last label
    )
    state, _ = scan(step, state, (swapaxes(log_p, 0, 1), active))
    labels, *_, ends_in_blank, ends_in_label = state
    scores, best = top_k(logaddexp(ends_in_blank, ends_in_label), top)
    paths = take_along_axis(labels, expand_dims(best, 2), 1)
    missing = _is_log_zero(scores)
    paths = where(expand_dims(missing, 2), -1, paths)
    return transpose(paths, (1, 0, 2)), where(missing, float("-inf"), scores)


def _extend_beams(state: Any, log_p: Tensor, width: int, merges: bool, blank: int) -> tuple:
    """Returns the beams after one more time step: each is kept, or extended by a label."""
    labels, count, last, *hashes, in_blank, in_label = state
    classes = shape_of(log_p)[1]
    total = logaddexp(in_blank, in_label)
    spread = expand_dims(log_p, 1)
    # An additional label: a repeated one only after a blank, if repeats are merged.
    is_last = equal(expand_dims(last, 2), arange(classes, dtype="int32"))
    repeats = logical_and(is_last, merges)
    longer = where(repeats, expand_dims(in_blank, 2), expand_dims(total, 2))
    longer = where(equal(arange(classes), blank), _LOG_ZERO, add(longer, spread))
    # No additional label: a blank, or the last label again.
    stays_in_blank = add(total, getitem(spread, (slice(None), slice(None), blank)))
    again = take_along_axis(log_p, maximum(last, 0), 1)
    stays_in_label = where(less(last, 0), _LOG_ZERO, add(in_label, again))
    if not merges:
        stays_in_label = full_like(stays_in_label, _LOG_ZERO)

    # An extended beam may equal another beam, which then takes over its alignments.
    parents = equal(add(expand_dims(count, 2), 1), expand_dims(count, 1))
    for h, factor in zip(hashes, _HASH, strict=True):
        extended = add(multiply(expand_dims(h, 2), factor), expand_dims(add(last, 1), 1))
        parents = logical_and(parents, equal(extended, expand_dims(h, 1)))
    parents = logical_and(parents, expand_dims(logical_not(_is_log_zero(total)), 1))
    column = broadcast_to(expand_dims(maximum(last, 0), 1), (*shape_of(last), width))
    incoming = where(parents, take_along_axis(longer, column, 2), _LOG_ZERO)
    stays_in_label = logaddexp(stays_in_label, logsumexp(incoming, 1))
    taken = matmul(cast(parents, "float32"), one_hot(last, classes, dtype="float32"))
    longer = where(greater(taken, 0), _LOG_ZERO, longer)

    stays = logaddexp(stays_in_blank, stays_in_label)
    flat = reshape(longer, (shape_of(log_p)[0], width * classes))
    scores, best = top_k(concatenate([stays, flat], 1), width)
    stayed = less(best, width)
    added = maximum(subtract(best, width), 0)
    parent = where(stayed, best, added // classes)
    label = where(stayed, -1, added % classes)

    def of_parent(x: Tensor) -> Tensor:
        return take_along_axis(x, parent, 1)

    count = of_parent(count)
    here = equal(arange(shape_of(labels)[2], dtype="int32"), expand_dims(count, 2))
    here = logical_and(here, expand_dims(logical_not(stayed), 2))
    labels = take_along_axis(labels, expand_dims(parent, 2), 1)
    hashes = [
        where(stayed, of_parent(h), add(multiply(of_parent(h), factor), add(label, 1)))
        for h, factor in zip(hashes, _HASH, strict=True)
    ]
    return (
        where(here, expand_dims(label, 2), labels),
        add(count, where(stayed, 0, 1)),
        where(stayed, of_parent(last), label),
        *hashes,
        where(stayed, of_parent(stays_in_blank), _LOG_ZERO),
        where(stayed, of_parent(stays_in_label), scores),
    )
