"""The calls of the conformance table in real Keras, in the same process: values and dtypes.

`nox -s "parity(jax)"` installs Keras beside us and runs this file. Where the two disagree,
`disagreements.py` says on what and who is right; a disagreement that is not there fails.
"""

import os

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="real Keras is not installed")
if keras.config.backend() != os.environ.get("KERAS_BACKEND"):
    pytest.skip("Keras runs on another backend", allow_module_level=True)

from functools import reduce  # noqa: E402

from disagreements import KNOWN  # noqa: E402

from keras_fn.testing.conformance.case import Case  # noqa: E402
from keras_fn.testing.conformance.comparing import arrays, assert_close, results, wide  # noqa: E402
from keras_fn.testing.conformance.drawing import Call  # noqa: E402
from keras_fn.testing.conformance.test_ops import cases, check, current, run  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here


@cases(lambda case: True, every_dtype=True)
def test_agrees(case: Case, dtype: str) -> None:
    known = KNOWN.get((case.op, keras.config.backend()), KNOWN.get((case.op, "all")))
    if known is not None:
        pytest.skip(known)
    function = reduce(getattr, case.op.split("."), keras.ops)

    def test(call: Call) -> None:
        args, options = call.with_tensors(map(keras.ops.convert_to_tensor, call.tensors))
        theirs = results(function(*args, **options))
        ours = results(run(case, call))
        names = [keras.backend.standardize_dtype(x.dtype) for x in theirs]
        assert [current().dtype_name(x) for x in ours] == names
        if case.check is not None:
            return  # not unique
        for one, other in zip(arrays(ours), theirs, strict=True):
            value = wide(np.asarray(keras.ops.convert_to_numpy(other)))
            assert_close(one, value, dtype, case.tolerance, "ours and Keras's")

    check(case, dtype, test, least=1)
