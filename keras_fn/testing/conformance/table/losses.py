"""Crossentropies, and connectionist temporal classification against all ways written out."""

from itertools import groupby, product

import numpy as np
from scipy import special

from keras_fn.testing.conformance.case import FLOATS, A, Case, OneOf, Refusal, T, case, refusal

EPSILON = 1e-7

# ---------------------------------------------------------------- crossentropies


def clipped(p):
    return np.clip(p, EPSILON, 1 - EPSILON)


def binary(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(0, output) - target * output
    p = clipped(output)
    return -target * np.log(p) - (1 - target) * np.log1p(-p)


def log_p(output, from_logits, axis):
    if from_logits:
        return special.log_softmax(output, axis)
    return np.log(clipped(output / output.sum(axis, keepdims=True)))


def categorical(target, output, from_logits=False, axis=-1):
    return -(target * log_p(output, from_logits, axis)).sum(axis)


def sparse(target, output, from_logits=False, axis=-1):
    if target.ndim == output.ndim:
        target = target[..., 0]
    chosen = np.take_along_axis(
        log_p(output, from_logits, axis), np.expand_dims(target.astype(int), axis), axis
    )
    return -np.squeeze(chosen, axis)


# ---------------------------------------------------------------- temporal classification


def collapse(way, blank, merges=True):
    """The labels that a class at each time step stands for."""
    kept = [label for label, _ in groupby(way)] if merges else way
    return tuple(label for label in kept if label != blank)


def ways(log_p, blank, merges=True):
    """The log-probability of each sequence of labels."""
    found = {}
    time, classes = log_p.shape
    for way in product(range(classes), repeat=time):
        p = sum(log_p[t, label] for t, label in enumerate(way))
        labels = collapse(way, blank, merges)
        found[labels] = np.logaddexp(found.get(labels, -np.inf), p)
    return found


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    losses = []
    rows = zip(target, output, target_length, output_length, strict=True)
    for labels, logits, count, time in rows:
        found = ways(special.log_softmax(logits[:time], -1), mask_index)
        losses.append(-found.get(tuple(labels[:count].tolist()), -np.inf))
    return np.array(losses)


def ctc_decode(
    inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True,
    mask_index=0,
):  # fmt: skip
    """With beams enough for all sequences."""
    del beam_width
    batch, time, _ = inputs.shape
    paths = np.full((top_paths, batch, time), -1)
    scores = np.full((batch, top_paths), -np.inf)
    for b, length in enumerate(sequence_lengths):
        logits = inputs[b, :length]
        if strategy == "greedy":
            best = [(collapse(logits.argmax(-1).tolist(), mask_index, merge_repeated),
                     -logits.max(-1).sum())]  # fmt: skip
        else:
            found = ways(special.log_softmax(logits, -1), mask_index, merge_repeated)
            best = sorted(found.items(), key=lambda item: -item[1])[:top_paths]
        for i, (labels, score) in enumerate(best):
            paths[i, b, : len(labels)] = labels
            scores[b, i] = score
    return paths, scores


# ---------------------------------------------------------------- the table

PROBABILITIES = {"low": 0.05, "high": 0.95}


def classes(shape, low=0, high=3):
    return T(shape, low=low, high=high, dtype="int32")


LOGITS = T("b 5 3")
LABELS, COUNTS = classes("b 2", 1, 2), classes("b", 0, 2)
LENGTHS = classes("b", 4, 5)
BEAMS = {"strategy": "beam_search", "beam_width": 400}

CASES: list[Case] = [
    *(case("binary_crossentropy", T("3 n", 0, 1), T("3 n", **bounds), ref=binary, dtypes=FLOATS,
           from_logits=from_logits)
      for from_logits, bounds in ((False, PROBABILITIES), (True, {"low": -9, "high": 9}))),
    case("binary_crossentropy", A([1.0, 0.0, 1.0]), A([0.0, 1.0, 1.0]), ref=binary,
         dtypes=("float32",), tolerance=1e4),  # 1 - 1e-7 in float32 is off by 2 in its last digit
    case("binary_crossentropy", A([1.0, 1.0, 0.0]), A([20.0, -1000.0, 1000.0]), ref=binary,
         from_logits=True, dtypes=("float32",)),
    *(case(op, target, T("b 3 4", **bounds), ref=ref, dtypes=FLOATS, from_logits=from_logits,
           axis=axis)
      for from_logits, bounds in ((False, PROBABILITIES), (True, {"low": -9, "high": 9}))
      for op, ref, axis, target in (
          ("categorical_crossentropy", categorical, -1, T("b 3 4", 0, 1)),
          ("categorical_crossentropy", categorical, 1, T("b 3 4", 0, 1)),
          ("sparse_categorical_crossentropy", sparse, -1, classes("b 3")),
          ("sparse_categorical_crossentropy", sparse, -1, classes("b 3 1")),
          ("sparse_categorical_crossentropy", sparse, 1, classes("b 4", 0, 2)))),
    case("categorical_crossentropy", A([0.0, 1.0]), A([3.0, 1.0]), ref=categorical,
         dtypes=("float32",)),
    case("categorical_crossentropy", A([[0.0, 1.0]]), A([[1000.0, -1000.0]]), ref=categorical,
         from_logits=True, dtypes=("float32",)),
    case("sparse_categorical_crossentropy", A(1, "int32"), A([3.0, 1.0]), ref=sparse,
         dtypes=("float32",)),
    case("sparse_categorical_crossentropy", A([1], "int32"), A([[1000.0, -1000.0]]), ref=sparse,
         from_logits=True, dtypes=("float32",)),
    case("sparse_categorical_crossentropy", A([0], "int32"), A([[0.0, 1.0]]), ref=sparse,
         dtypes=("float32",), gradient=False),  # clipped
    # Half floats do not hold 1 - 1e-7: the logarithm is taken of wider ones.
    *(case(op, target, A([[1.0, 0.0]]), ref=ref, dtypes=("float16", "bfloat16"))
      for op, ref, target in (("binary_crossentropy", binary, A([[1.0, 0.0]], "float32")),
                              ("categorical_crossentropy", categorical, A([[1.0, 0.0]])),
                              ("sparse_categorical_crossentropy", sparse, A([0], "int32")))),
    *(case("ctc_loss", LABELS, LOGITS, COUNTS, LENGTHS, ref=ctc_loss, mask_index=blank,
           dtypes=FLOATS, result="float32") for blank in (0,)),
    case("ctc_loss", classes("b 2", 0, 1), T("b 4 3", -9, 9), COUNTS, classes("b", 4, 4),
         ref=ctc_loss, mask_index=2, dtypes=("float32",)),
    case("ctc_loss", A([[1, 1], [1, 2], [1, 1], [2, 9]], "int32"), T("4 3 3"),
         A([2, 2, 2, 1], "int32"), A([2, 1, 3, 0], "int32"), ref=ctc_loss, dtypes=("float32",),
         gradient=False),  # infinite: see tests/ops/test_ctc.py
    case("ctc_loss", A(np.zeros((2, 0)), "int32"), T("2 3 3"), A([0, 0], "int32"),
         A([3, 0], "int32"), ref=ctc_loss, dtypes=("float32",)),
    *(case("ctc_decode", T("b 5 3", -9, 9), classes("b", 0, 5), ref=ctc_decode,
           merge_repeated=OneOf([True, False]), mask_index=blank, dtypes=("float32",),
           result="int32, same", gradient=False, options=options)
      for blank in (0, 2)
      for options in ({}, {**BEAMS, "top_paths": OneOf([1, 3])})),
    case("ctc_decode", T("b 3 3", -9, 9), classes("b", 0, 3), ref=ctc_decode,
         dtypes=("float32",), result="int32, same", gradient=False, top_paths=20, **BEAMS),
]  # fmt: skip


def zeros(*shape, dtype=None):
    return A(np.zeros(shape), dtype)


def ids(*shape):
    return zeros(*shape, dtype="int32")


SPARSE = "sparse_categorical_crossentropy"
REFUSALS: list[Refusal] = [
    refusal("binary_crossentropy", zeros(2, 3), zeros(2, 4),
            match=r"target of shape \(2, 3\), output of shape \(2, 4\)"),
    refusal("categorical_crossentropy", zeros(2), zeros(2, 4),
            match=r"target of shape \(2,\), output of shape \(2, 4\)"),
    refusal("categorical_crossentropy", zeros(), zeros(), match="an axis of classes"),
    refusal("categorical_crossentropy", zeros(2, 4), zeros(2, 4), axis=2, match="axis=2"),
    refusal(SPARSE, ids(2, 4), zeros(2, 4), match=r"class numbers of shape \(2,\)"),
    refusal(SPARSE, ids(), zeros(), match="an axis of classes"),
    refusal("ctc_loss", ids(3, 2), zeros(2, 5, 3), ids(2), ids(2), match=r"batch, labels"),
    refusal("ctc_loss", ids(2, 2), zeros(5, 3), ids(2), ids(2), match="batch, time, classes"),
    refusal("ctc_loss", ids(2, 2), zeros(2, 5, 3), ids(3), ids(2), match="target_length"),
    refusal("ctc_loss", ids(2, 2), zeros(2, 5, 3), ids(2), ids(2, 1), match="lengths of the seq"),
    refusal("ctc_loss", ids(2, 2), zeros(2, 5, 3), ids(2), ids(2), mask_index=3,
            match="one of 3 classes"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), "best", match="'greedy' or 'beam_search'"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), top_paths=2, match="top_paths from 1 to 1"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), "beam_search", 2, 3,
            match="top_paths from 1 to 2"),
    refusal("ctc_decode", zeros(5, 3), ids(2), match="batch, time, classes"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), mask_index=-1, match="one of 3 classes"),
]  # fmt: skip
