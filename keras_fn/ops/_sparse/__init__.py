"""What ops do with sparse operands: one table for all backends, in dense ops on their entries.

A sparse tensor is a list of entries: an index for each axis, and a value. Most ops change only the
values, or only the indices. An entry may be dropped by giving it the value 0 at index 0: so no op
needs to know how many entries are left, which a compiled function cannot.
"""

from typing import Any

from keras_fn.core.sparse import SPARSE_OPS, SparseRule
from keras_fn.ops._sparse import elementwise, encoding, products, reductions, shapes


def _sparse(*_: Any, **__: Any) -> bool:
    return True


def _dense(*_: Any, **__: Any) -> bool:
    return False


_ZERO_AT_ZERO = """
    absolute arcsin arcsinh arctan arctanh cast ceil celu conj conjugate copy deg2rad elu erf erfinv
    expm1 fabs fix floor gelu hard_shrink hard_tanh imag isinf isnan isneginf isposinf leaky_relu
    log1p nan_to_num negative positive rad2deg real relu relu6 round rint selu sign signbit silu sin
    sinh soft_shrink softsign sqrt square swish tan tanh tanh_shrink trunc
"""
SPARSE_OPS |= {name: SparseRule(elementwise.map_values, _sparse) for name in _ZERO_AT_ZERO.split()}
SPARSE_OPS |= {
    name: SparseRule(elementwise.union, elementwise.are_both_sparse)
    for name in ("add", "subtract", "maximum", "minimum")
}
SPARSE_OPS |= {
    name: SparseRule(elementwise.divide, elementwise.is_sparse_quotient)
    for name in ("divide", "true_divide")
}
SPARSE_OPS |= {
    name: elementwise.conditional_rule(is_zero_at_zero)
    for name, is_zero_at_zero in {
        "clip": elementwise.clips_around_zero,
        "power": elementwise.is_positive_power,
        "not_equal": elementwise.is_compared_with_zero,
        "greater": elementwise.is_compared_with_zero,
        "less": elementwise.is_compared_with_zero,
    }.items()
}
SPARSE_OPS |= {
    "multiply": SparseRule(elementwise.multiply, elementwise.is_any_sparse),
    "matmul": SparseRule(products.matmul, elementwise.are_both_sparse),
    "dot": SparseRule(products.dot, products.is_sparse_dot),
    "tensordot": SparseRule(products.tensordot, products.is_sparse_contraction),
    "dense": SparseRule(products.dense, _dense),
    "sum": SparseRule(reductions.sum_, reductions.keeps_an_axis),
    "mean": SparseRule(reductions.mean, reductions.keeps_an_axis),
    "max": SparseRule(reductions.extremum, _dense),
    "amax": SparseRule(reductions.extremum, _dense),
    "min": SparseRule(reductions.extremum, _dense),
    "amin": SparseRule(reductions.extremum, _dense),
    "any": SparseRule(reductions.any_, _dense),
    "all": SparseRule(reductions.all_, _dense),
    "count_nonzero": SparseRule(reductions.count_nonzero, _dense),
    "reshape": SparseRule(shapes.reshape, _sparse),
    "ravel": SparseRule(shapes.ravel, _sparse),
    "transpose": SparseRule(shapes.transpose, _sparse),
    "swapaxes": SparseRule(shapes.swapaxes, _sparse),
    "moveaxis": SparseRule(shapes.moveaxis, _sparse),
    "expand_dims": SparseRule(shapes.expand_dims, _sparse),
    "squeeze": SparseRule(shapes.squeeze, _sparse),
    "concatenate": SparseRule(shapes.concatenate, shapes.are_all_sparse),
    "getitem": SparseRule(shapes.getitem, shapes.is_sparse_item),
    "densify": SparseRule(encoding.densify, _dense),
    "take": SparseRule(encoding.take, _dense),
    "bincount": SparseRule(encoding.make_operands_dense, encoding.is_sparse_bincount),
    "one_hot": SparseRule(encoding.make_operands_dense, encoding.is_sparse_encoding),
    "multi_hot": SparseRule(encoding.make_operands_dense, encoding.is_sparse_encoding),
}
