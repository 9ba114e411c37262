"""A check of a GPU in four minutes: right values, training in three precisions, placement, speed.

    KERAS_BACKEND=torch python integration_tests/benchmarks/gpu.py [--markdown docs/performance.md]
    KERAS_BACKEND=torch python integration_tests/benchmarks/gpu.py --device cpu --parts ops,fit

Prints a table of each part as Markdown, and ends with 1 if a check fails. Without a GPU it says so,
and ends with 0. `--device cpu` runs the same parts on the CPU, which proves the program itself.
"""

import argparse
import contextlib
import datetime
import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jobs
import models
import numpy as np
import tables

Rows = Iterator[tuple[list[str], bool]]  # the cells of a row, and whether its check succeeded
_RANDOM = np.random.default_rng(0)
_A, _B = _RANDOM.uniform(0.1, 2.0, (2, 6, 5))
_SQUARE = _RANDOM.normal(size=(4, 4)) + 4 * np.eye(4)
_IMAGE, _KERNEL = _RANDOM.normal(size=(2, 6, 6, 3)), _RANDOM.normal(size=(3, 3, 3, 4))
_ROWS, _GROUPS = np.array([4, 0, 0, 3]), np.array([0, 2, 1, 0, 2, 2])


# ---------------------------------------------------------------- the device


def find_device(wanted: str) -> str | None:
    """Returns the name of the device, None if there is no GPU.

    Args:
        wanted: `"gpu"` or `"cpu"`.
    """
    if wanted == "cpu":
        return "CPU"
    framework = importlib.import_module(jobs.BACKEND)
    if jobs.BACKEND == "torch":
        return framework.cuda.get_device_name(0) if framework.cuda.is_available() else None
    if jobs.BACKEND == "jax":
        is_gpu = framework.default_backend() in {"gpu", "cuda", "rocm"}
        return framework.devices()[0].device_kind if is_gpu else None
    found = framework.config.list_physical_devices("GPU")
    if not found:
        return None
    details = framework.config.experimental.get_device_details(found[0])
    return details.get("device_name", found[0].name)


def is_on(tensor: Any, wanted: str) -> bool:
    """Returns whether a tensor of the backend is in the memory of the device."""
    if jobs.BACKEND == "torch":
        return tensor.device.type == {"gpu": "cuda"}.get(wanted, wanted)
    if jobs.BACKEND == "jax":
        return {d.platform for d in tensor.devices()} <= {wanted, "cuda", "rocm"} - (
            {"cuda", "rocm"} if wanted == "cpu" else set()
        )
    return f":{wanted.upper()}:" in tensor.device


@contextlib.contextmanager
def no_copies_to_host() -> Iterator[None]:
    """Refuses copies from the device to the host, and waiting for it, where the framework can."""
    if jobs.BACKEND == "jax":
        with importlib.import_module("jax").transfer_guard_device_to_host("disallow"):
            yield
        return
    if jobs.BACKEND != "torch" or not importlib.import_module("torch").cuda.is_available():
        yield
        return
    cuda = importlib.import_module("torch").cuda
    before = cuda.get_sync_debug_mode()
    cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        cuda.set_sync_debug_mode(before)


# ---------------------------------------------------------------- right values


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _windows(x: np.ndarray, size: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))


def _attend(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    scores = np.einsum("btnh,bsnh->bnts", q, k) / q.shape[-1] ** 0.5
    return np.einsum("bnts,bsnh->btnh", _softmax(scores), v)


def _segment_sum(x: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return np.stack([x[groups == k].sum(0) for k in range(3)])


def _scatter(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    out = np.zeros_like(x)
    np.add.at(out, rows, x[: len(rows)])
    return out


_QKV = tuple(_RANDOM.normal(size=(3, 2, 5, 2, 4)))

# kind: (the op, NumPy, the arguments)
OPS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    "elementwise": (lambda ops, x: ops.tanh(ops.log(x)), lambda x: np.tanh(np.log(x)), (_A,)),
    "arithmetic": (lambda ops, x, y: x * y - x / y, lambda x, y: x * y - x / y, (_A, _B)),
    "reduction": (lambda ops, x: ops.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1)), (_A,)),
    "matrix product": (
        lambda ops, x, y: ops.matmul(x, ops.transpose(y)),
        lambda x, y: x @ y.T,
        (_A, _B),
    ),
    "einsum": (
        lambda ops, x, y: ops.einsum("ij,kj->ik", x, y),
        lambda x, y: np.einsum("ij,kj->ik", x, y),
        (_A, _B),
    ),
    "convolution": (
        lambda ops, x, k: ops.conv(x, k),
        lambda x, k: np.einsum("bijcxy,xycf->bijf", _windows(x, 3), k),
        (_IMAGE, _KERNEL),
    ),
    "pooling": (
        lambda ops, x: ops.max_pool(x, 2, 1),
        lambda x: _windows(x, 2).max((-2, -1)),
        (_IMAGE,),
    ),
    "normalization": (
        lambda ops, x: ops.layer_normalization(x, epsilon=1e-5),
        lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5),
        (_A,),
    ),
    "activation": (lambda ops, x: ops.softmax(x), _softmax, (_A,)),
    "attention": (lambda ops, *x: ops.dot_product_attention(*x), _attend, _QKV),
    "sorting": (lambda ops, x: ops.sort(x, axis=0), lambda x: np.sort(x, 0), (_A,)),
    "searching": (lambda ops, x: ops.argmax(x, axis=1), lambda x: x.argmax(1), (_A,)),
    "gathering": (
        lambda ops, x, rows: ops.take(x, rows, axis=0),
        lambda x, rows: x[rows],
        (_A, _ROWS),
    ),
    "scattering": (
        lambda ops, x, rows: ops.scatter(rows[:, None], x[: len(_ROWS)], x.shape),
        _scatter,
        (_A, _ROWS),
    ),
    "segments": (lambda ops, x, g: ops.segment_sum(x, g, 3), _segment_sum, (_A, _GROUPS)),
    "cumulation": (lambda ops, x: ops.cumsum(x, axis=1), lambda x: np.cumsum(x, 1), (_A,)),
    "linear algebra": (lambda ops, x: ops.inv(x), np.linalg.inv, (_SQUARE,)),
    "decomposition": (
        lambda ops, x: ops.svd(x, compute_uv=False),
        lambda x: np.linalg.svd(x, compute_uv=False),
        (_SQUARE,),
    ),
    "signal": (
        lambda ops, x: ops.fft((x, ops.zeros_like(x)))[0],
        lambda x: np.fft.fft(x).real,
        (_A,),
    ),
    "image": (
        lambda ops, x: ops.image.resize(x, (3, 3), interpolation="nearest"),
        lambda x: x[:, 1::2, 1::2],
        (_IMAGE,),
    ),
    "control flow": (
        lambda ops, x: ops.scan(lambda carry, row: (carry + row, carry), ops.zeros(5), x)[0],
        lambda x: x.sum(0),
        (_A,),
    ),
    "loss": (
        lambda ops, x, y: ops.categorical_crossentropy(ops.softmax(y), x, from_logits=True),
        lambda x, y: -(_softmax(y) * np.log(_softmax(x))).sum(-1),
        (_A, _B),
    ),
}


@contextlib.contextmanager
def _full_precision() -> Iterator[None]:
    """Computes products of float32 in 32 bits, not in the 19 of TensorFloat-32."""
    framework = importlib.import_module(jobs.BACKEND)
    if jobs.BACKEND == "jax":
        with framework.default_matmul_precision("highest"):
            yield
    elif jobs.BACKEND == "torch":
        with framework.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    else:
        config = framework.config.experimental
        before = config.tensor_float_32_execution_enabled()
        config.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            config.enable_tensor_float_32_execution(before)


def check_ops(keras: Any, device: str) -> Rows:
    """One op of each kind, in float32, against NumPy in float64."""
    for name, (op, reference, arguments) in OPS.items():
        expected = reference(*arguments)
        tensors = [
            keras.ops.convert_to_tensor(x.astype("float32" if x.dtype.kind == "f" else "int32"))
            for x in arguments
        ]
        with _full_precision():
            result = op(keras.ops, *tensors)
        found = keras.ops.convert_to_numpy(result).astype("float64")
        error = float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
        ok = error < _TOLERANCE and is_on(result, device)
        yield [name, f"{error:.1e}", "" if is_on(result, device) else "on another device"], ok


_TOLERANCE = 1e-5
_HEADS = {
    "ops": ["op", "error", "remark"],
    "fit": ["policy", "loss before", "after", "loss scale", "remark"],
    "placement": ["what", "number", "remark"],
    "rows": ["work", "native", "ours", "ours / native"],
}


# ---------------------------------------------------------------- training

POLICIES = {"float32": "float32", "mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


def check_fit(keras: Any, device: str) -> Rows:
    """`fit` in three precisions: the loss falls, weights stay float32, float16 scales its loss."""
    x, y = models.mlp_data(512)
    y = (x[:, :10].argmax(1)).astype("int32")
    for policy, compute in POLICIES.items():
        keras.config.set_dtype_policy(policy)
        try:
            keras.utils.set_random_seed(0)
            model = _classifier(keras)
            before = model.evaluate(x, y, batch_size=64, verbose=0)
            history = model.fit(x, y, batch_size=64, epochs=4, verbose=0)
            after = model.evaluate(x, y, batch_size=64, verbose=0)
        finally:
            keras.config.set_dtype_policy("float32")
        scale = getattr(model.optimizer, "dynamic_scale", None)
        dtypes = {keras.ops.dtype(v.value) for v in model.trainable_variables}
        remarks = [
            remark
            for remark, is_wrong in {
                "the loss does not fall": not after < before,
                "a loss is not finite": not np.isfinite(history.history["loss"]).all(),
                f"computes in {model.layers[1].compute_dtype}": model.layers[1].compute_dtype
                != compute,
                f"weights in {dtypes}": dtypes != {"float32"},
                "no loss scale": (scale is None) is (policy == "mixed_float16"),
                "weights on another device": not all(is_on(v.value, device) for v in model.weights),
            }.items()
            if is_wrong
        ]
        shown = "" if scale is None else f"{float(keras.ops.convert_to_numpy(scale.value)):.0f}"
        yield [policy, f"{before:.3f}", f"{after:.3f}", shown, "; ".join(remarks)], not remarks


def _classifier(keras: Any) -> Any:
    layers = keras.layers
    x = inputs = keras.Input((784,))
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.Conv2D(8, 3, strides=2)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    outputs = layers.Dense(10)(layers.Dropout(0.1)(layers.Flatten()(x)))
    model = keras.Model(inputs, layers.Activation("linear", dtype="float32")(outputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return model


# ---------------------------------------------------------------- placement


def check_placement(keras: Any, device: str) -> Rows:
    """Where variables and outputs are, and whether a step copies anything to the host."""
    x, y = models.mlp_data(256)
    model = _classifier(keras)
    model.fit(x, y, batch_size=32, verbose=0)
    state = [*model.variables, *model.optimizer.variables]
    elsewhere = [v.path for v in state if not is_on(v.value, device)]
    # Counters may stay on the host, where a framework reads them without waiting for the device.
    elsewhere = [path for path in elsewhere if "iteration" not in path]
    yield ["variables elsewhere", str(len(elsewhere)), ", ".join(elsewhere)], not elsewhere
    output = model(keras.ops.convert_to_tensor(x[:4]))
    yield ["outputs elsewhere", str(int(not is_on(output, device))), ""], is_on(output, device)
    copies = _count_guarded(model, x, y)
    yield ["copies to the host in 8 steps", str(len(copies)), "; ".join(copies)[:200]], not copies


def _count_guarded(model: Any, x: Any, y: Any) -> list[str]:
    """Trains with steps that may not copy to the host; returns what refused."""
    refused: list[str] = []

    def guarded(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            with no_copies_to_host():
                return step(*args)

        return run

    single, many = model._get_step_function, model._get_multi_step_function

    def multi_step(*args: Any) -> Any:
        found = many(*args)
        return found and (guarded(found[0]), found[1])

    model._get_step_function = lambda kind: guarded(single(kind))
    model._get_multi_step_function = multi_step
    try:
        model.fit(x, y, batch_size=32, verbose=0)
    except RuntimeError as error:  # of PyTorch and of JAX, that name the copy
        refused.append(f"{type(error).__name__}: {error}".splitlines()[0])
    finally:
        del model._get_step_function, model._get_multi_step_function
    return refused


# ---------------------------------------------------------------- speed


class _OnDevice:
    """The native programs of PyTorch, with their tensors on a device; those of others are there."""

    def __init__(self, programs: Any, device: str):
        self._programs, self._device = programs, device

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._programs, name)

        def make(*args: Any, **kwargs: Any) -> Any:
            with self._scope():
                run = function(*args, **kwargs)

            def scoped() -> Any:
                with self._scope():
                    return run()

            return scoped

        return make

    @contextlib.contextmanager
    def _scope(self) -> Iterator[None]:
        torch = importlib.import_module("torch")
        from_numpy = torch.from_numpy
        torch.from_numpy = lambda x: from_numpy(x).to(self._device)
        try:
            with torch.device(self._device):
                yield
        finally:
            torch.from_numpy = from_numpy


def _speed_jobs() -> dict[str, jobs.Job]:
    fits = {name: fit.job() for name, fit in jobs.FITS.items() if name in _SPEED}
    return {**fits, "forward": jobs.forward(1), "predict": jobs.predict(6400, 6400, 1.1)}


_SPEED = ("scan", "mlp", "resnet", "ticket", "transformer")
_SECONDS = 200  # after which no row is begun


def measure_rows(keras: Any, device: str, rounds: int = 5) -> Rows:
    """The rows of the benchmark, next to the native programs on the same device."""
    native = importlib.import_module(f"native_{jobs.BACKEND}")
    if jobs.BACKEND == "torch" and device != "cpu":
        native = _OnDevice(native, "cuda")
    sides = {"ours": keras, "native": native}
    for job in _speed_jobs().values():
        if time.monotonic() - _START > _SECONDS:
            yield [job.title, "", "", "no time left"], True
            continue
        found = jobs.measure(job, sides, rounds)
        shown = [tables.format_seconds(found[side]) for side in ("native", "ours")]
        yield [job.title, *shown, f"{found['ours'] / found['native']:.2f}"], True


# ---------------------------------------------------------------- the program

_START = time.monotonic()
PARTS: dict[str, Callable[[Any, str], Rows]] = {
    "ops": check_ops,
    "fit": check_fit,
    "placement": check_placement,
    "rows": measure_rows,
}


def main() -> int:
    """Runs the parts; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them, by commas")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page for the tables")
    options = parser.parse_args()
    parts = options.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    name = find_device(options.device)
    if name is None:
        print(f"No GPU: {jobs.BACKEND} finds none on this machine, so nothing is checked.")
        return 0
    import keras_fn

    print(f"{jobs.BACKEND} on {name}, {datetime.date.today()}\n")
    failed = [part for part in parts if not _run(part, keras_fn, options)]
    print(f"{time.monotonic() - _START:.0f} s; " + (f"FAILED: {failed}" if failed else "all well"))
    return 1 if failed else 0


def _run(part: str, keras: Any, options: argparse.Namespace) -> bool:
    """Prints the table of a part; returns whether its checks succeeded."""
    head, done, is_right = _HEADS[part], [], True
    try:
        for row, ok in PARTS[part](keras, options.device):
            done.append(row)
            is_right = is_right and ok
    except Exception:  # the other parts still run, and the exit status says so
        traceback.print_exc()
        is_right = False
    lines = [head, ["---"] * len(head), *done]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines), "\n", flush=True)
    if options.markdown and done:
        tables.write(options.markdown, f"gpu {part} on {jobs.BACKEND}", head, done)
    return is_right


if __name__ == "__main__":
    sys.exit(main())
