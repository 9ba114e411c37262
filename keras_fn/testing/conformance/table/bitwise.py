"""Cases of the bitwise ops."""

import numpy as np

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, array, case, refusal, tensor

INTS = ("int32", "int8", "uint8", "int64", "uint32")

BITS = (*INTS, "bool")

BITWISE = {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
}

SHIFTS = {
    "left_shift": np.left_shift,
    "bitwise_left_shift": np.left_shift,
    "right_shift": np.right_shift,
    "bitwise_right_shift": np.right_shift,
}

ROW = array([1.0, 2.0])

CASES: list[Case] = [
    # Bits and integers
    *(case(n, tensor(), tensor(), ref=f, dtypes=BITS) for n, f in BITWISE.items()),
    *(case(n, tensor(), OneOf([1, 3]), ref=f, dtypes=("int32",)) for n, f in BITWISE.items()),
    *(case(n, tensor(), ref=np.invert, dtypes=BITS) for n in ("bitwise_not", "bitwise_invert")),
    *(
        case(n, tensor(low=-9, high=9), tensor(low=0, high=3), ref=f, dtypes=INTS)
        for n, f in SHIFTS.items()
    ),
    *(
        case(n, tensor(low=-9, high=9), OneOf([0, 2]), ref=f, dtypes=INTS)
        for n, f in SHIFTS.items()
    ),
    *(
        case(n, array([1, -8, 8, -1]), array([31, 40, 33, 1]), ref=f, dtypes=("int32",))
        for n, f in SHIFTS.items()
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            n,
            ROW,
            ROW,
            match=f"ops.{n}\n  expected: integers\n  received: values of dtype float32",
            error=TypeError,
        )
        for n in (
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "bitwise_left_shift",
            "bitwise_right_shift",
        )
    ),
    refusal("bitwise_not", ROW, match="ops.bitwise_not\n  expected: integers", error=TypeError),
]
