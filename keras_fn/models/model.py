"""`Model`: a layer that can be trained, saved and summarized."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self, Unpack, cast

from keras_fn._lazy import LazyModule
from keras_fn.core.dtypes import itemsize
from keras_fn.core.object_sharing import ObjectSharingScope
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.serialization import serialize_keras_object
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._build_wrapper import allow_signature_override
from keras_fn.layers._config import init_arguments_config
from keras_fn.layers.layer import Layer
from keras_fn.optimizers.nested import find_optimizers
from keras_fn.training.trainer import Trainer
from keras_fn.types import (
    ExportOptions,
    LoadWeightsOptions,
    Nested,
    PathLike,
    QuantizeOptions,
    SaveOptions,
)

if TYPE_CHECKING:
    from keras_fn.export import export_api
    from keras_fn.models import extraction, quantization
    from keras_fn.models.functional import Functional
    from keras_fn.models.quantization import LayerFilter
    from keras_fn.quantizers import QuantizationConfig
    from keras_fn.saving import saving_api
    from keras_fn.visualization import mermaid, model_diff, summary
else:  # slow to import, and rarely needed
    export_api = LazyModule("keras_fn.export.export_api")
    extraction = LazyModule("keras_fn.models.extraction")
    quantization = LazyModule("keras_fn.models.quantization")
    saving_api = LazyModule("keras_fn.saving.saving_api")
    mermaid = LazyModule("keras_fn.visualization.mermaid")
    model_diff = LazyModule("keras_fn.visualization.model_diff")
    summary = LazyModule("keras_fn.visualization.summary")


class Model(Trainer, Layer):
    """A layer with `compile`, `fit`, `evaluate`, `predict`, `save` and `summary`.

    There are three kinds: the Functional model, `Model(inputs, outputs)`, is a graph of layers; a
    subclassed model has a custom `call`; `Sequential([...])` is a stack of layers.

    `Model(inputs, outputs)` returns an instance of `Functional`. A subclass that passes inputs and
    outputs to `super().__init__` becomes a Functional model at this moment: the constructor sets
    the class of the instance to one that also derives from `Functional`. This is the only place in
    keras_fn where an object changes its class. Keras's API requires it, because whether a model is
    a graph is not known before the constructor of the base class runs.

    Args:
        *args: `inputs` and `outputs`, KerasTensors nested in lists, tuples and dicts, and `name`;
            nothing for a subclassed model.
        **kwargs: `inputs`, `outputs`, `name`, `trainable`, `dtype`.

    Raises:
        ValueError: The outputs cannot be computed from the inputs.
        TypeError: Only one of inputs and outputs was passed, or an argument is unknown.

    Example:
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> model.count_params()
        8
    """

    _takes_text = True
    _quantizes_layers = True
    _is_stack = False  # whether the first data build it, as a `Sequential` without an `Input`
    _functional_base: ClassVar[type]
    """`Functional`, which derives from this class; its module sets it."""

    def __new__(cls, *args: Nested, **kwargs: Any) -> Self:
        is_graph = cls is Model and _has_graph(args, kwargs)  # subclasses have custom arguments
        created: Any = _with_graph(cast(type, cls)) if is_graph else cls
        return super().__new__(created, *args, **kwargs)

    def __init__(self, *args: Nested, **kwargs: Any):
        base = Model._functional_base
        if _has_graph(args, kwargs):
            self.__class__ = _with_graph(cast(type, type(self)))  # see the docstring of the class
            base.__init__(self, *args, **kwargs)
            return
        for name in kwargs.keys() & {"inputs", "outputs"}:
            raise DTypeError(
                type(self).__name__,
                expected="inputs= and outputs= together",
                received=f"only {name}=",
                fix="pass both for a Functional model, or none for a subclassed one",
            )
        Layer.__init__(self, *args, **kwargs)
        self._start_model()

    def _start_model(self) -> None:
        self._init_trainer()

    # ---------------------------------------------------------------- layers

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, without the layers inside them."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer by name or by index.

        Args:
            name: The name of the layer.
            index: The index in `layers`; negative ones count from the end.

        Returns:
            The layer.

        Raises:
            ValueError: There is no such layer, or not exactly one argument was passed.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise SpecError(
                f"{self._label}, get_layer",
                expected="a name or an index",
                received=f"name={name!r}, index={index!r}",
                fix="pass one of them",
            )
        if index is not None:
            if -len(layers) <= index < len(layers):
                return layers[index]
            raise SpecError(
                f"{self._label}, get_layer",
                expected=f"an index of the model's {len(layers)} layers",
                received=f"index={index}",
                fix="pass an index in range(len(model.layers)), or a name",
            )
        for layer in layers:
            if layer.name == name:
                return layer
        raise SpecError(
            f"{self._label}, get_layer",
            expected=f"the name of a layer: {', '.join(layer.name for layer in layers)}"[:1000],
            received=f"name={name!r}",
            fix="pass one of these names",
        )

    def extract(self, outputs: Nested, name: str | None = None) -> "Functional":
        """Feature extraction: returns a model that ends at inner tensors of this one.

        The layers are shared: both models have the same weights.

        Args:
            outputs: The path of a layer or op: its name, after the names of the nested models that
                it is in, with slashes; `"block:1"` is the second call of a layer that is called
                several times. Or paths nested in lists and dicts.
            name: The name of the new model; automatic by default.

        Returns:
            A model from the inputs that the outputs depend on to the outputs of the layers, nested
            as the paths are.

        Raises:
            ValueError: There is no such layer, it is called several times and the path does not say
                which call is meant, or the model is not a graph.

        Example:
            >>> x = keras.Input((28, 28, 1))
            >>> encoder = keras.Sequential(
            ...     [keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten()], name="encoder"
            ... )
            >>> model = keras.Model(x, keras.layers.Dense(10)(encoder(x)))
            >>> model.extract("encoder/conv").output_shape
            (None, 26, 26, 4)
        """
        return extraction.extract_features(self, outputs, name)

    def diff(self, other: "Model", weights: bool = True) -> "model_diff.ModelDiff":
        """Compares the model with another one: layers, arguments, wiring and weights.

        Layers are matched by the names that they were given; those with automatic names by their
        order, as the lines of two texts. Arguments of layers without a config are not compared.

        Args:
            other: The model to compare it with.
            weights: Whether to compare the values of weights, too. Default True.

        Returns:
            The differences, a sequence that prints as a table and is empty if there are none.

        Raises:
            TypeError: `other` is not a model.

        Example:
            >>> x = keras.Input((3,))
            >>> model = keras.Model(x, keras.layers.Dense(2)(x), name="model")
            >>> copy = keras.models.clone_model(model)
            >>> print(model.diff(copy, weights=False))
            No differences between 'model' and 'model'
        """
        if not isinstance(other, Model):
            raise DTypeError(
                f"{self._label}, diff",
                expected="a model to compare it with",
                received=f"{type(other).__name__} {other!r}"[:200],
                fix="pass a model, for example models.load_model(path)",
            )
        return model_diff.compare_models(self, other, weights)

    @property
    def _label(self) -> str:
        """The model in error messages."""
        return f"{type(self).__name__} model {self.name!r}"

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], None] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and numbers of parameters.

        Args:
            line_length: The width of the table, in characters. By default that of the terminal.
            positions: The right edges of the columns, as fractions of the width.
            print_fn: A function of the text that replaces `print`.
            expand_nested: Whether to list the layers of nested models. Default False.
            show_trainable: Whether to add a column with the trainable state. Default False.
            layer_range: Names, or regular expressions, of the first and the last layer to list.
        """
        summary.print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def _repr_html_(self) -> str:
        return summary.summary_html(self)

    def _repr_markdown_(self) -> str:
        return f"```mermaid\n{mermaid.model_to_mermaid(self)}\n```"

    # ---------------------------------------------------------------- state

    def _float_input_dtype(self, dtype: str) -> str:
        """Keeps what a layer inside may need: the layers cast their inputs themselves."""
        if dtype in (self.compute_dtype, self.variable_dtype):
            return dtype
        is_wider = itemsize(dtype) > itemsize(self.variable_dtype)
        inner = self._flatten_layers(include_self=False) if is_wider else ()
        return dtype if any(layer.dtype == dtype for layer in inner) else self.variable_dtype

    def _relax_if_open(self) -> None:
        """Lets data of other sizes in, if the sizes were not declared: only in a `Sequential`."""

    def _state(self, kind: str) -> list[Any]:
        """Adds the variables of optimizers in attributes, for a custom `train_step`."""
        state = super()._state(kind)
        if kind == "train":
            held = (o for layer in self._flatten_layers() for o in find_optimizers(vars(layer)))
            state += [v for optimizer in held for v in optimizer.variables]
        return list({id(v): v for v in state}.values())

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict[str, Any] | None:
        """Returns the layers in the order in which data passes, for modes that calibrate with data.

        Subclasses define it, where a config does not name the layers.

        Args:
            mode: The mode of quantization.

        Returns:
            A dict with `"pre_block_layers"`, a list of the layers that make the input of the first
            block, and `"sequential_blocks"`, a list of the blocks. By default None.
        """
        del mode
        return None

    @allow_signature_override
    def quantize(
        self,
        mode: str | None = None,
        config: "QuantizationConfig | None" = None,
        filters: "LayerFilter | None" = None,
        **kwargs: Unpack[QuantizeOptions],
    ) -> None:
        """Quantizes the weights of the layers inside, in place. Compile the model again afterwards.

        Layers without this mode stay as they are, and a warning names those with weights.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`. None if `config` says it.
            config: The quantizers and numbers, such as `keras.quantizers.Int8QuantizationConfig()`,
                the default of `"int8"`. `"gptq"` and `"awq"` need one, with data to calibrate with.
            filters: Which layers: a regular expression that is found in their name, a list of them,
                or a function of a layer. None for all.
            **kwargs: `type_check=False` includes custom subclasses of the layers that can be
                quantized.

        Raises:
            ValueError: A layer is not built or is quantized already, or an argument is invalid.
                No layer is quantized then.

        Example:
            >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
            >>> model.quantize("int8")
            >>> model.layers[0].kernel.dtype
            'int8'
        """
        quantization.quantize_model(self, mode, config, filters, kwargs)

    def _invalidate_structure(self, new_weights: bool = False) -> None:
        super()._invalidate_structure(new_weights)
        if new_weights:
            self._functions.clear()  # compiled for other variables

    # ---------------------------------------------------------------- files

    def __getstate__(self) -> dict[str, Any]:
        """Returns the state for copies and pickles: without compiled functions."""
        return {**super().__getstate__(), "_functions": {}, "_trainer_state": None}

    def save(
        self,
        filepath: PathLike | BinaryIO,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Unpack[SaveOptions],
    ) -> None:
        """Saves the model: architecture, weights, compile arguments and optimizer state.

        Args:
            filepath: Path that ends in `.keras`, or in `.h5` for the legacy format; or a binary,
                seekable file for `.keras`.
            overwrite: Whether to replace an existing file; otherwise it is an error. Default True.
            zipped: Whether the file is a zip archive. False for a folder of the same content.
                Default None: a zip archive.
            **kwargs: `include_optimizer=False` omits the state of the optimizer. `save_format`,
                `"keras"` or `"h5"`, is deprecated: the path decides.

        Raises:
            ModelFileError: The path has another ending, or the model cannot be saved.
            OSError: The file cannot be written.
        """
        saving_api.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self,
        filepath: PathLike | BinaryIO,
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Saves the weights of the model, and the state of its optimizer.

        Args:
            filepath: Path that ends in `.weights.h5` or `.safetensors`; or a binary, seekable
                file. The index of several files ends in `.weights.json` or
                `.safetensors.index.json`.
            overwrite: Whether to replace an existing file; otherwise it is an error. Default True.
            max_shard_size: The maximum size of a file in GiB. None (default) for a single file.

        Raises:
            ModelFileError: The path has another ending, or the model is not built.
            OSError: The file cannot be written.
        """
        saving_api.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self,
        filepath: PathLike | BinaryIO,
        skip_mismatch: bool = False,
        **kwargs: Unpack[LoadWeightsOptions],
    ) -> None:
        """Loads the weights from a file: all of them, or none if there is an error.

        Args:
            filepath: A `.weights.h5`, `.safetensors`, `.keras` or legacy `.h5` file, or the index
                of several files. For weights of PyTorch or from Hugging Face:
                `keras.saving.load_state_dict`.
            skip_mismatch: Whether to skip layers whose weights do not match, with a warning.
                Default False.
            **kwargs: `objects_to_skip`, layers to leave unchanged; `by_name=True`, to match the
                layers of a legacy file by name instead of by order.

        Raises:
            ModelFileError: The file is malformed, or does not match the model.
            OSError: The file cannot be read.
        """
        saving_api.load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(
        self,
        filepath: PathLike,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Nested = None,
        **kwargs: Unpack[ExportOptions],
    ) -> None:
        """Exports the model for inference, to an artifact that runs without keras_fn.

        The artifact computes what the model does in inference mode, for batches of any size and any
        size of the axes that are None. `docs/export.md` lists the formats.

        Args:
            filepath: The path of the artifact: of a folder for `"tf_saved_model"`, else of a file,
                which ends in `.pt2` for `"torch"`, `.tflite` for `"litert"`, `.xml` for
                `"openvino"`. What is there is replaced.
            format: `"tf_saved_model"`, `"onnx"`, `"openvino"`, `"litert"`, `"torch"` (a program of
                `torch.export`) or `"stablehlo"` (a program of `jax.export`).
            verbose: Whether to print the path of the artifact. By default it is printed.
            input_signature: The inputs, as a list with an `InputSpec`, a KerasTensor, a tensor or
                a `tf.TensorSpec` for each argument of the call, nested as the argument. By default
                those of the model.
            **kwargs: Options of the format: `opset_version` of `"onnx"`; those of
                `torch.export.export` for `"torch"`; `jax2tf_kwargs` of `"tf_saved_model"` on JAX;
                `platforms` and `vjp_order` of `"stablehlo"`; those of the converter for `"litert"`.

        Raises:
            ValueError: A layer cannot be exported, an option is one of another backend, the
                inputs are not known, or the path has another ending.
            TypeError: An argument is unknown, or a signature is malformed.
            ImportError: A library is not installed.
            OSError: The artifact cannot be written.
        """
        export_api.export_model(self, filepath, format, verbose, input_signature, kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Returns the architecture as JSON, for `model_from_json`.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        with ObjectSharingScope() as scope:
            config = serialize_keras_object(self)
        scope.finish(config)
        return json.dumps(config, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, if they are plain values.

        Raises:
            TypeError: They are not, so that the class must define `get_config`.
        """
        return init_arguments_config(self)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Returns a model created from a config, with new weights.

        Args:
            config: The result of `get_config`.
            custom_objects: Custom classes and functions, by name.
        """
        if {"layers", "input_layers", "output_layers"} <= config.keys():
            return _with_graph(cast(type, cls)).from_config(config, custom_objects)
        with CustomObjectScope(custom_objects):
            return super().from_config(config)


def _has_graph(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Returns whether constructor arguments are inputs and outputs."""
    return (
        len(args) == 2
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


@cache
def _with_graph(cls: type) -> Any:
    """Returns the Functional variant of `cls`: for a subclass, one that derives from both."""
    base = Model._functional_base
    if cls is Model:
        return base
    if issubclass(cls, base):
        return cls
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, base), names)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Returns a model with the architecture in a JSON string, with new weights.

    A model that was compiled is compiled again, with a new optimizer.

    Args:
        json_string: The result of `Model.to_json`.
        custom_objects: Custom classes and functions, by name.

    Returns:
        The model.

    Raises:
        ModelFileError: The JSON is malformed, holds code or exceeds the limits.
        ModelFileTypeError: It names an unknown class or function.

    Example:
        >>> x = keras.Input((3,))
        >>> text = keras.Model(x, keras.layers.Dense(2)(x)).to_json()
        >>> keras.models.model_from_json(text).count_params()
        8
    """
    return saving_api.model_from_json(json_string, custom_objects)
