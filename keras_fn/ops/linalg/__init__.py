"""Linear algebra, as `keras_fn.ops.linalg`."""

from keras_fn.ops.autodiff import jvp
from keras_fn.ops.linalg.decompositions import cholesky, eig, eigh, lu_factor, qr, svd
from keras_fn.ops.linalg.norms import det, matrix_rank, norm
from keras_fn.ops.linalg.solvers import cholesky_inverse, inv, lstsq, pinv, solve, solve_triangular

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]
