"""Cases of window functions."""

import numpy as np

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, case

ONLY = {"symbolic": False, "jit": False, "gradient": False, "dtypes": ("float32",)}

WINDOWS = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "hamming": np.hamming,
    "hanning": np.hanning,
}

CASES: list[Case] = [
    *(case(n, OneOf([0, 1, 2, 5, 12]), ref=f, **ONLY) for n, f in WINDOWS.items()),
    case("kaiser", OneOf([0, 1, 2, 5, 12]), OneOf([0.0, 2, 14.0]), ref=np.kaiser, **ONLY),
]

REFUSALS: list[Refusal] = []
