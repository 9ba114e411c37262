"""`keras.ops.nn` and `keras.ops.numpy`: the names that Keras 3.15.1 has there, as second names."""

import json
from pathlib import Path

import pytest

from keras_fn import ops

NAMES = json.loads(
    (Path(__file__).parent.parent / "fixtures/api/ops_namespaces.json").read_text("utf-8")
)


@pytest.mark.parametrize("namespace", NAMES)
def test_a_namespace_has_the_ops_of_keras(namespace):
    module = getattr(ops, namespace)
    assert [name for name in dir(module) if not name.startswith("_")] == NAMES[namespace]
    assert all(getattr(module, name) is getattr(ops, name) for name in NAMES[namespace])
