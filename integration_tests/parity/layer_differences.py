"""Where layers of real Keras 3.15.1 and of this package differ, and who is right."""

import os
import re

from layer_cases.case import LayerCase

_SPEC = r"spec in \w+: "
KNOWN: dict[str, str] = {
    rf"^\w+, (TimeDistributed|SpectralNormalization)\b.*{_SPEC}": (
        "Keras says the dtype of the wrapper's policy, though the outputs have that of the layer's"
    ),
    rf"^\w+, \w+Cell, {_SPEC}.*Keras's .*'float32'": (
        "Keras casts the first argument alone, so that states of float32 widen the outputs"
    ),
    rf"^\w+, StackedRNNCells, {_SPEC}": (
        "Keras casts the first argument alone, so that states of float32 widen the outputs"
    ),
    r"Keras's ImportError: .*requires TensorFlow": (
        "Keras takes text where TensorFlow is installed; ours everywhere"
    ),
    r"^jax, .*spec in float64: ": (
        "Keras says float64, though JAX computes in 32 bits where 64 are not enabled"
    ),
    rf"^torch, .*{_SPEC}.*geqrf_cpu": "PyTorch has no orthogonal matrices of 16 bits; ours casts",
    r"^(jax|tensorflow), .*spec in (b?float16|bfloat16): .*Keras's \w+Error": (
        "the framework has no orthogonal matrices of 16 bits; ours casts"
    ),
    r"^tensorflow, (Conv\dD, channels first|DepthwiseConv2D, first).*outputs": (
        "Keras on TensorFlow adds the bias along the last axis where its size is that of channels"
    ),
    r"^tensorflow, UpSampling2D, bicubic, outputs": (
        "TensorFlow looks up the cubic kernel in a table of 1024 entries; ours computes it"
    ),
    r"^tensorflow, Normalization.*weights: .*'int32'": (
        "Keras counts in 64 bits on TensorFlow alone; no number of samples depends on it"
    ),
    r"^torch, LayerNormalization, axis, outputs: .*Keras's RuntimeError": (
        "Keras on PyTorch cannot scale along another axis than the last ones"
    ),
    r"^torch, UpSampling2D, lanczos.*Keras's ValueError": "Keras on PyTorch has no Lanczos kernels",
    r"^torch, UpSampling2D, bicubic, outputs": (
        "Keras on PyTorch takes another kernel (a = -0.75) than on JAX and TensorFlow (-0.5)"
    ),
    r"^torch, AveragePooling3D, same, outputs": (
        "Keras on PyTorch counts padding as zeros; on JAX and TensorFlow it does not, as ours"
    ),
    r"^torch, ContrastLimitedAdaptiveHistogramEqualization, outputs": (
        "Keras on PyTorch truncates the limit of a bin to an integer; on JAX it does not, as ours"
    ),
    r"^\w+, Pipeline, compute_output_shape": "Keras's Pipeline has no such method",
    r"^\w+, EinsumDense, compute_output_shape": "Keras loses sizes that the equation keeps",
}
"""A pattern of "backend, row, question: what differs", and who is right."""

FACTS = {
    "config": "config",
    "built": "flags",
    "supports_masking": "flags",
    "symbol": "spec|compute_output_shape",
    "weights": "weights",
    "values": "outputs",
    "dtypes": "outputs.*: dtypes: ",
}
"""How "question: what differs" begins, for the facts of the table's `differs`."""


def known_difference(case: LayerCase, question: str, found: str) -> str | None:
    """Returns why the answer to a question differs, if that is known."""
    for fact, reason in case.differs.items():
        if re.match(FACTS[fact], f"{question}: {found}"):
            return reason
    text = f"{os.environ['KERAS_BACKEND']}, {case.name}, {question}: {found}"
    return next(
        (reason for pattern, reason in KNOWN.items() if re.search(pattern, text, re.DOTALL)), None
    )
