"""The steps of a replica: its rows of a global batch go in, results of the whole batch come out."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from keras_fn import ops
from keras_fn.backend.contract import SupportsSparse
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.ragged import PaddedBatch
from keras_fn.core.replicas import GradientState, ReplicaBatch, ReplicaScope, sum_all_over_replicas
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.variable import Variable
from keras_fn.distribution.processes import processes
from keras_fn.ops._replicas import gather_rows
from keras_fn.types import Tensor

Step = Callable[[Any, Any], Any]


def distribute_step(step: Step, kind: str, model: Any) -> Step:
    """Returns a step of the whole batch, of which this process computes its rows.

    Args:
        step: A function of `(tensors, indices)`: of the data, and of the samples of the batch. Or
            of the tensors of a batch, and None.
        kind: `"train"`, `"test"` or `"predict"`.
        model: The model.
    """

    def run(tensors: Any, indices: Any) -> Any:
        replica = _split_batch(tensors, indices)
        if indices is None:
            tensors = [
                None
                if group is None
                else [x if x is None else _take_rows(x, replica) for x in group]
                for group in tensors
            ]
        else:
            indices = _take_rows(indices, replica)
        with ReplicaScope(replica):
            if kind == "predict":
                outputs = step(tensors, indices)
                return tree.map_structure(lambda x: gather_rows(x, replica), outputs)
            state = [v for metric in model.metrics for v in metric.variables]
            before = _copy_if_needed(state, replica)
            results = step(tensors, indices)
            own = model.get_metrics_result() if isinstance(results, dict) else None
            for variable, value in zip(state, before, strict=False):
                variable.assign(ops.where(replica.has_rows, variable, value))
            return results if own is None else _combine_results(results, own, model, replica)

    return run


def _split_batch(tensors: Any, indices: Any) -> ReplicaBatch:
    """Returns which rows of a batch this process has."""
    if indices is None:
        leaf = next(x for group in tensors for x in group or () if x is not None)
        indices = leaf[0] if type(leaf) is PaddedBatch else leaf
    return split_rows(ops.shape(indices)[0], processes.index, processes.count)


def split_rows(total: Any, index: int, count: int) -> ReplicaBatch:
    """Returns the rows of one of several processes: as many as the others have, or one more.

    Args:
        total: The number of rows: an integer, or a scalar tensor.
        index: The index of the process.
        count: The number of processes.

    Example:
        >>> [split_rows(5, i, 2)[:2] for i in range(2)]
        [(0, 2), (2, 3)]
    """
    start, stop = total * index // count, total * (index + 1) // count
    number = stop - start
    if isinstance(number, int):
        rows, share = max(number, 1), number / total
        return ReplicaBatch(start, number, rows, total, share, GradientState())
    share = ops.divide(ops.cast(number, "float32"), ops.cast(total, "float32"))
    return ReplicaBatch(start, number, ops.maximum(number, 1), total, share, GradientState())


def _take_rows(x: Any, replica: ReplicaBatch) -> Any:
    """Returns the rows of this process, of a tensor of the whole batch."""
    if type(x) is PaddedBatch:
        return PaddedBatch(*(None if part is None else _take_rows(part, replica) for part in x))
    backend = current()
    if supports("is_sparse") and cast(SupportsSparse, backend).is_sparse(x):
        return backend.gather_rows(x, ops.arange(replica.start, replica.start + replica.rows))
    return x[replica.start : replica.start + replica.rows]


def _copy_if_needed(state: Sequence[Variable], replica: ReplicaBatch) -> list[Tensor]:
    """Returns copies of the state of metrics, if this process may have no rows."""
    if isinstance(replica.count, int) and replica.count:
        return []
    return [ops.copy(v) for v in state]


def sum_state(state: Sequence[Variable]) -> list[Tensor]:
    """Returns the values of variables of metrics over all processes, by their aggregation.

    Args:
        state: The variables, of which each process has its own part.
    """
    parts = []
    for variable in state:
        counts = variable.aggregation in ("sum", "mean") or processes.index == 0
        part = variable.value if counts else ops.zeros(variable.shape, variable.dtype)
        parts.append(ops.cast(part, "int32") if variable.dtype == "bool" else part)
    sums = sum_all_over_replicas(parts)
    return [
        ops.cast(ops.divide(x, processes.count) if v.aggregation == "mean" else x, v.dtype)
        for v, x in zip(state, sums, strict=True)
    ]


def read_metrics(model: Any) -> dict[str, Any]:
    """Returns the results of the metrics over all processes.

    Args:
        model: The model.
    """
    state = [v for metric in model.metrics for v in metric.variables]
    with StatelessScope(zip(state, sum_state(state), strict=True)):
        return model.get_metrics_result()


def _combine_results(
    results: dict[str, Any], own: dict[str, Any], model: Any, replica: ReplicaBatch
) -> dict[str, Any]:
    """Returns what a step of the program's own has returned, for the whole batch.

    Results of metrics are those of all processes, and other values means over the batch.

    Args:
        results: What the step has returned.
        own: The results of the metrics at its end: also of a row that counts nothing.
        model: The model.
        replica: Which rows this process has.
    """
    whole = read_metrics(model)
    values = [ops.cast(x, "float32") for x in tree.flatten(results)]
    means = sum_all_over_replicas([replica.weigh(x) for x in values])
    combined = dict(zip(results, tree.unflatten(list(results.values()), means), strict=True))
    for name in results.keys() & own.keys():
        # A value of its own may have the name of a metric, such as "loss".
        same = ops.all(ops.equal(results[name], own[name]))
        combined[name] = ops.where(same, ops.cast(whole[name], "float32"), combined[name])
    return combined
