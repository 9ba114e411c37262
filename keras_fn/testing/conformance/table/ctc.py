"""Cases of connectionist temporal classification."""

from itertools import groupby, product

import numpy as np
from scipy import special

from keras_fn.testing.conformance.case import (
    FLOATS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)
from keras_fn.testing.conformance.table.losses import classes, ids, zeros


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
    inputs,
    sequence_lengths,
    strategy="greedy",
    beam_width=100,
    top_paths=1,
    merge_repeated=True,
    mask_index=0,
):
    """With beams enough for all sequences."""
    del beam_width
    batch, time, _ = inputs.shape
    paths = np.full((top_paths, batch, time), -1)
    scores = np.full((batch, top_paths), -np.inf)
    for b, length in enumerate(sequence_lengths):
        logits = inputs[b, :length]
        if strategy == "greedy":
            best = [
                (
                    collapse(logits.argmax(-1).tolist(), mask_index, merge_repeated),
                    -logits.max(-1).sum(),
                )
            ]
        else:
            found = ways(special.log_softmax(logits, -1), mask_index, merge_repeated)
            best = sorted(found.items(), key=lambda item: -item[1])[:top_paths]
        for i, (labels, score) in enumerate(best):
            paths[i, b, : len(labels)] = labels
            scores[b, i] = score
    return paths, scores


LOGITS = tensor("b 5 3")

LABELS, COUNTS = classes("b 2", 1, 2), classes("b", 0, 2)

LENGTHS = classes("b", 4, 5)

BEAMS = {"strategy": "beam_search", "beam_width": 400}

CASES: list[Case] = [
    *(
        case(
            "ctc_loss",
            LABELS,
            LOGITS,
            COUNTS,
            LENGTHS,
            ref=ctc_loss,
            mask_index=blank,
            dtypes=FLOATS,
            result_dtype="float32",
        )
        for blank in (0,)
    ),
    case(
        "ctc_loss",
        classes("b 2", 0, 1),
        tensor("b 4 3", -9, 9),
        COUNTS,
        classes("b", 4, 4),
        ref=ctc_loss,
        mask_index=2,
        dtypes=("float32",),
    ),
    # infinite: see tests/ops/test_ctc.py
    case(
        "ctc_loss",
        array([[1, 1], [1, 2], [1, 1], [2, 9]], "int32"),
        tensor("4 3 3"),
        array([2, 2, 2, 1], "int32"),
        array([2, 1, 3, 0], "int32"),
        ref=ctc_loss,
        dtypes=("float32",),
        gradient=False,
    ),
    case(
        "ctc_loss",
        array(np.zeros((2, 0)), "int32"),
        tensor("2 3 3"),
        array([0, 0], "int32"),
        array([3, 0], "int32"),
        ref=ctc_loss,
        dtypes=("float32",),
    ),
    *(
        case(
            "ctc_decode",
            tensor("b 5 3", -9, 9),
            classes("b", 0, 5),
            ref=ctc_decode,
            merge_repeated=OneOf([True, False]),
            mask_index=blank,
            dtypes=("float32",),
            result_dtype="int32, same",
            gradient=False,
            options=options,
        )
        for blank in (0, 2)
        for options in ({}, {**BEAMS, "top_paths": OneOf([1, 3])})
    ),
    case(
        "ctc_decode",
        tensor("b 3 3", -9, 9),
        classes("b", 0, 3),
        ref=ctc_decode,
        dtypes=("float32",),
        result_dtype="int32, same",
        gradient=False,
        top_paths=20,
        **BEAMS,
    ),
]

REFUSALS: list[Refusal] = [
    refusal("ctc_loss", ids(3, 2), zeros(2, 5, 3), ids(2), ids(2), match=r"batch, labels"),
    refusal("ctc_loss", ids(2, 2), zeros(5, 3), ids(2), ids(2), match="batch, time, classes"),
    refusal("ctc_loss", ids(2, 2), zeros(2, 5, 3), ids(3), ids(2), match="target_length"),
    refusal("ctc_loss", ids(2, 2), zeros(2, 5, 3), ids(2), ids(2, 1), match="lengths of the seq"),
    refusal(
        "ctc_loss",
        ids(2, 2),
        zeros(2, 5, 3),
        ids(2),
        ids(2),
        mask_index=3,
        match="one of 3 classes",
    ),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), "best", match="'greedy' or 'beam_search'"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), top_paths=2, match="top_paths from 1 to 1"),
    refusal(
        "ctc_decode", zeros(2, 5, 3), ids(2), "beam_search", 2, 3, match="top_paths from 1 to 2"
    ),
    refusal("ctc_decode", zeros(5, 3), ids(2), match="batch, time, classes"),
    refusal("ctc_decode", zeros(2, 5, 3), ids(2), mask_index=-1, match="one of 3 classes"),
]
