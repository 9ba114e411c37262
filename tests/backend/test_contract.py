"""The contract lists what the frontend really asks for."""

import inspect

import pytest

from keras_fn import ops
from keras_fn.backend.function_transforms import FunctionTransforms
from keras_fn.backend.loader import current
from keras_fn.backend.primitives import ControlFlow, Creation, Primitives, Random
from keras_fn.core.operators import OPS
from keras_fn.errors import UnsupportedError
from keras_fn.ops._op import OpDefinition
from keras_fn.ops._rules import like


def methods(protocol):
    """The methods of a protocol and of those that it is made of, by name."""
    return {
        name: method
        for cls in protocol.__mro__
        for name, method in vars(cls).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


PRIMITIVES = {name: call.op for name, call in OPS.items() if call.op.is_primitive}
NO_OPS = {
    name
    for protocol in (Creation, Random, ControlFlow, FunctionTransforms)
    for name in methods(protocol)
}
LISTED = {name: m for name, m in methods(Primitives).items() if name not in NO_OPS}


def test_primitives_are_the_ops_without_a_body():
    assert ops.relu.op.name not in PRIMITIVES
    assert sorted(LISTED) == sorted(PRIMITIVES)


@pytest.mark.parametrize("name", sorted(PRIMITIVES.keys() & LISTED.keys()))
def test_each_primitive_is_listed_with_its_parameters(name):
    op = PRIMITIVES[name]
    parameters = list(op.signature.parameters.values())
    by_position = parameters[: op.positions[-1] + 1]  # operands, and what stands before them
    listed = list(inspect.signature(LISTED[name]).parameters.values())[1:]
    assert [(p.name, p.default) for p in listed] == [(p.name, p.default) for p in parameters]
    assert [p.name for p in listed if p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)] == [
        p.name for p in parameters if p not in by_position
    ]
    assert inspect.getdoc(LISTED[name])


def test_the_error_names_a_primitive_that_the_backend_does_not_implement():
    def unsupported_op(x: "Tensor"):  # noqa: F821
        """No backend implements it."""

    missing_op = OpDefinition(unsupported_op, like).dispatcher()
    with pytest.raises(
        UnsupportedError, match=f"the {current().name} backend has no unsupported_op"
    ):
        missing_op(ops.ones((2,)))
