"""Cases of the ops that concern gradients."""

from keras_fn.testing.conformance.case import ALL, Case, Refusal, case, tensor

CASES: list[Case] = [
    case("stop_gradient", tensor(), ref=lambda x: x, dtypes=ALL, gradient=False),
]

REFUSALS: list[Refusal] = []
