"""The feature space: preprocessing and encoding of structured data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Self, TypeAlias, cast

import numpy as np

from keras_fn.core import tree
from keras_fn.core.foreign_tensors import is_in_graph
from keras_fn.core.host_text import to_host_values
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import CustomObjectScope, is_builtin
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import DTypeError, SpecError, check_choice, find_similar
from keras_fn.layers._arguments import argument_error, positive_int
from keras_fn.layers.core.input_layer import Input
from keras_fn.layers.preprocessing.data_layer import DataLayer, HostLayer
from keras_fn.layers.preprocessing.feature import (
    Cross,
    Feature,
    TFDConcat,
    encode_array,
    make_one_hot_encoder,
)
from keras_fn.layers.preprocessing.feature_types import FEATURE_TYPES, FeatureTypesMixin
from keras_fn.layers.preprocessing.hashed_crossing import HashedCrossing
from keras_fn.models.functional import Functional
from keras_fn.saving.saving_api import save_model
from keras_fn.types import DataLike, PathLike

_CrossLike: TypeAlias = Cross | Sequence[str] | Mapping[str, Any]
_OUTPUT_MODES = ("concat", "dict")
_SAMPLES_AT_ONCE = 1024  # of data that yields them one by one, in `adapt`


class FeatureSpace(FeatureTypesMixin, DataLayer):
    """Feature space: preprocesses and encodes the columns of structured data, by their types.

    Each feature has a preprocessing layer. `adapt` computes what these need of the data
    (vocabularies, means, bins), in one pass. The result encodes a table, a batch or a sample: it
    runs on arrays, in data pipelines, and in models, whether called on symbolic tensors or by
    `get_inputs` and `get_encoded_features`.

    Args:
        features: The type of each feature, by the name of the feature: a word, what the class
            method of this name returns, or its config. The words: `"float"`, `"float_normalized"`,
            `"float_rescaled"`, `"float_discretized"`, `"integer_categorical"`,
            `"string_categorical"`, `"integer_hashed"`, `"string_hashed"`.
        output_mode: `"concat"`: one vector for each sample. `"dict"`: the encoded features by name.
        crosses: Combinations of features, which are hashed: tuples of names, or what `cross`
            returns.
        crossing_dim: Number of bins of a cross that is a tuple.
        hashing_dim: Number of bins of `"integer_hashed"` and `"string_hashed"`.
        num_discretization_bins: Number of bins of `"float_discretized"`.
        name: The name of the layer. Unique and derived from the class by default.

    Call arguments:
        data: The values of each feature, by name: arrays, lists, tensors, columns of a table, of
            shape `(batch,)` or `(batch, n)`; or those of one sample. Other columns are ignored.

    Output shape:
        `(batch, size)`; `(size,)` for a single sample. The features are in the order of their
        names, then the crosses. A dict of such tensors for `output_mode="dict"`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> data = {"size": [1.0, 3.0], "color": ["red", "blue"]}
        >>> space = keras.utils.FeatureSpace(
        ...     {"size": "float_normalized", "color": "string_categorical"}
        ... )
        >>> space.adapt(data)
        >>> space.preprocessors["color"].get_vocabulary()
        ['[UNK]', 'red', 'blue']
        >>> convert_to_numpy(space({"size": 3.0, "color": "red"})).tolist()
        [0.0, 1.0, 0.0, 1.0]
    """

    _takes_text = True

    def __init__(
        self,
        features: Mapping[str, str | Feature | Mapping[str, Any]],
        output_mode: str = "concat",
        crosses: Sequence[_CrossLike] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not isinstance(features, Mapping) or not features:
            raise argument_error(
                self,
                "features",
                "the types of features by name",
                features,
                'for example {"age": "float_normalized"}',
            )
        self.crossing_dim = positive_int(self, "crossing_dim", crossing_dim)
        self.hashing_dim = positive_int(self, "hashing_dim", hashing_dim)
        self.num_discretization_bins = positive_int(
            self, "num_discretization_bins", num_discretization_bins
        )
        self.features = {key: self._make_feature(key, value) for key, value in features.items()}
        self.crosses = [self._make_cross(cross) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.output_mode = check_choice("FeatureSpace", "output_mode", output_mode, _OUTPUT_MODES)
        self.inputs: dict[str, KerasTensor] = {
            key: Input((1,), dtype=feature.dtype, name=key)
            for key, feature in self.features.items()
        }
        self.preprocessors: dict[str, Any] = {
            key: feature.preprocessor for key, feature in self.features.items()
        }
        self.crossers: dict[str, HashedCrossing] = {
            key: HashedCrossing(cross.crossing_dim, name=key)
            for key, cross in self.crosses_by_name.items()
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: TFDConcat | None = None
        self.encoded_features: Any = None
        self._functional: Functional | None = None
        self._is_adapted = False

    def _make_feature(self, name: str, value: Any) -> Feature:
        if isinstance(value, Mapping):
            value = deserialize_keras_object(dict(value), kind="feature")
        if isinstance(value, Feature):
            return value
        word = check_choice("FeatureSpace", f"features[{name!r}]", value, FEATURE_TYPES)
        size = FEATURE_TYPES[word]
        arguments = {"num_bins": getattr(self, size)} if size else {}
        return getattr(type(self), word)(**arguments, name=name)

    def _make_cross(self, cross: Any) -> Cross:
        if isinstance(cross, Mapping):
            cross = deserialize_keras_object(dict(cross), kind="feature")
        if not isinstance(cross, Cross):
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            near = find_similar(unknown[0], self.features, 1)
            raise argument_error(
                self,
                "crosses",
                f"names among {', '.join(map(repr, self.features))}",
                unknown[0],
                f"did you mean {near[0]!r}?" if near else "add the feature to features=",
            )
        if cross.name in self.features:
            raise argument_error(
                self,
                "crosses",
                "names other than those of the features",
                cross.feature_names,
                f"rename the feature {cross.name!r}, which is the name of the cross",
            )
        return cross

    # ---------------------------------------------------------------- adapting

    def adapt(self, dataset: DataLike) -> None:
        """Computes what the preprocessing layers need of the data, in one pass.

        Args:
            dataset: The values of each feature, by name: a dict of arrays, a table; or what yields
                such dicts, of batches or of samples: a tf.data dataset, a DataLoader, a Grain data
                set, a `PyDataset`, a generator. Of `(features, labels)`, only the features count.

        Raises:
            ValueError: There is no data, or it lacks a feature.
            TypeError: It is neither a dict nor something that yields dicts.
        """
        layers = {name: self.preprocessors[name] for name in self._list_adaptable()}
        whole = {name: [] for name, layer in layers.items() if not hasattr(layer, "update_state")}
        self._is_adapted = False  # until it is over: it may fail halfway
        for name in layers.keys() - whole.keys():
            layers[name].reset_state()
        count = 0
        for batch in self._iterate_batches(dataset):
            count += 1
            for name, layer in layers.items():
                values = _with_batch_axis(batch[name])[0]
                whole[name].append(values) if name in whole else layer.update_state(values)
        if not count:
            raise self._data_error("data that yields nothing")
        for name, layer in layers.items():
            layer.adapt(np.concatenate(whole[name])) if name in whole else layer.finalize_state()
        self.one_hot_encoders, self.concat = {}, None
        self.encoded_features, self._functional = None, None
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def _list_adaptable(self) -> list[str]:
        """Returns the names of the features whose layers need data."""
        return [name for name, layer in self.preprocessors.items() if _is_adaptable(layer)]

    def _iterate_batches(self, data: Any) -> Iterator[dict[str, Any]]:
        """Yields the values of the features in batches, as arrays."""
        if _is_table(data):
            yield self._to_arrays(data)
            return
        if (
            not isinstance(data, Iterable)
            or isinstance(data, (str, bytes))
            or hasattr(data, "ndim")
        ):
            raise self._data_error(f"an object of type {type(data).__name__}")
        samples: list[dict[str, Any]] = []
        for element in data:
            batch = element[0] if isinstance(element, (list, tuple)) and element else element
            if not _is_table(batch):
                raise self._data_error(f"elements of type {type(batch).__name__}")
            arrays = self._to_arrays(batch)
            if any(np.ndim(x) for x in arrays.values()):
                yield arrays
                continue
            samples.append(arrays)
            if len(samples) == _SAMPLES_AT_ONCE:
                yield _stack(samples)
                samples = []
        if samples:
            yield _stack(samples)

    def _to_arrays(self, batch: Any) -> dict[str, Any]:
        return {name: to_host_values(x) for name, x in self._select(batch).items()}

    def _data_error(self, received: str) -> DTypeError:
        return DTypeError(
            f"{self._label}, adapt",
            expected="a dict of arrays, a table, or something that yields dicts",
            received=received,
            fix='pass the features by name, for example {"age": [25, 31]}',
        )

    def _select(self, data: Any) -> dict[str, Any]:
        """Returns the values of the features, without other columns."""
        missing = [name for name in self.features if name not in data]
        if missing:
            known = [str(key) for key in data if key not in self.features]
            near = find_similar(missing[0], known, 1)
            raise SpecError(
                self._label,
                expected=f"values for the feature {missing[0]!r}",
                received=f"the columns {', '.join(map(repr, data))}"[:300],
                fix=f"is it {near[0]!r}? Name it as in features=" if near else "add the column",
            )
        return {name: data[name] for name in self.features}

    def _check_is_adapted(self) -> None:
        if self._is_adapted:
            return
        names = self._list_adaptable()
        if names:
            raise SpecError(
                self._label,
                expected=f"data for {', '.join(map(repr, names))}",
                received="a call before adapt()",
                fix="call adapt(dataset) first",
            )
        self._is_adapted = True

    # ---------------------------------------------------------------- encoding

    def get_inputs(self) -> dict[str, KerasTensor]:
        """Returns the `Input` of each feature, by name.

        Raises:
            ValueError: `adapt` has to be called before.
        """
        self._check_is_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Returns the encoded features as symbolic tensors, computed from those of `get_inputs`.

        Returns:
            A KerasTensor, or a dict of them for `output_mode="dict"`.

        Raises:
            ValueError: `adapt` has to be called before; or a feature cannot be encoded or
                concatenated.
        """
        self._check_is_adapted()
        if self.encoded_features is None:
            self.encoded_features = self.call(self.inputs)
        return self.encoded_features

    @property
    def execution_graph(self) -> Functional | None:
        """The layers as a Functional model; None before `adapt`."""
        if self._functional is None and self._is_adapted:
            self._functional = Functional(self.inputs, self.get_encoded_features(), name=self.name)
        return self._functional

    def __call__(self, data: Any, **kwargs: Any) -> Any:
        """Encodes data.

        Args:
            data: The values of each feature, by name.
            **kwargs: `training`, as other layers take it.

        Returns:
            The encoded features.

        Raises:
            ValueError: `adapt` has to be called before, or a feature is missing.
            TypeError: The data is not a dict.
        """
        self.get_encoded_features()
        if not _is_table(data):
            raise DTypeError(
                self._label,
                expected="a dict of the values of each feature",
                received=f"{data!r}"[:200],
                fix='pass the features by name, for example {"age": [25, 31]}',
            )
        pairs = {name: _with_batch_axis(x) for name, x in self._select(data).items()}
        values = {name: x for name, (x, _) in pairs.items()}
        self._check_lengths(values)
        if self._has_host_layers and any(map(is_in_graph, values.values())):
            outputs = self._call_in_graph((values,), kwargs)  # once, not for each feature
        else:
            outputs = super().__call__(values, **kwargs)
        if not any(is_sample for _, is_sample in pairs.values()):
            return outputs
        return tree.map_structure(lambda x: x[0], outputs)

    @property
    def _has_host_layers(self) -> bool:
        layers = (*self.preprocessors.values(), *self.crossers.values())
        return any(isinstance(layer, HostLayer) for layer in layers)

    def _check_lengths(self, values: Mapping[str, Any]) -> None:
        lengths = {name: x.shape[0] for name, x in values.items()}
        if len({length for length in lengths.values() if isinstance(length, int)}) > 1:
            raise SpecError(
                self._label,
                expected="as many values for each feature",
                received=", ".join(f"{n} of {name!r}" for name, n in lengths.items())[:300],
                fix="pass arrays of equal lengths, or a single sample: a number or string each",
            )

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Leaves the conversion to the layers of the features."""
        return arguments

    def call(self, data: Mapping[str, Any]) -> Any:
        """Returns the encoded features of a batch.

        Args:
            data: The values of each feature, of shape `(batch, n)`, by name.
        """
        values = {name: _run(layer, data[name]) for name, layer in self.preprocessors.items()}
        crossed = {
            name: _run(self.crossers[name], [values[part] for part in cross.feature_names])
            for name, cross in self.crosses_by_name.items()
        }
        encoded: dict[str, Any] = {}
        for part, specs in ((values, self.features), (crossed, self.crosses_by_name)):
            for name in sorted(part):
                encoded[name] = self._encode(name, part[name], specs[name].output_mode)
        if self.output_mode == "dict":
            return {name: self._to_tensor(name, x) for name, x in encoded.items()}
        if self.concat is None:
            self.concat = _make_concat(encoded)
        parts = [self._to_tensor(name, x) for name, x in _join_arrays(encoded)]
        return self.concat(parts)

    def _encode(self, name: str, values: Any, output_mode: str) -> Any:
        """Returns the output of a preprocessing layer, encoded as the feature says."""
        if output_mode != "one_hot":
            return values
        if name not in self.one_hot_encoders:  # in the first, symbolic, call
            layer = self.preprocessors.get(name) or self.crossers[name]
            self.one_hot_encoders[name] = make_one_hot_encoder(name, layer, values)
        encoder = self.one_hot_encoders[name]
        return encode_array(encoder, values) if _is_array(values) else encoder(values)

    def _to_tensor(self, name: str, x: Any) -> Any:
        """Returns what a host layer computed for a feature as a tensor."""
        layer = self.crossers.get(name) or self.preprocessors[name]
        return layer._from_host(x) if _is_array(x) and isinstance(layer, HostLayer) else x

    # ---------------------------------------------------------------- config and files

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a feature space from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
        """
        with CustomObjectScope(custom_objects):
            return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the build config of each preprocessing layer; None before `adapt`."""
        if not self._is_adapted:
            return None
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the preprocessing layers.

        Args:
            config: A config, as `get_build_config` returns it.
        """
        for name, part in config.items():
            layer = self.preprocessors[name]
            if not layer.built:
                layer.build_from_config(part)
        self._is_adapted = True
        self.built = True

    def save(self, filepath: PathLike) -> None:
        """Saves the feature space to a file, which `keras.saving.load_model` reads.

        Args:
            filepath: A path that ends in `.keras`.

        Raises:
            ValueError: The path has another ending, or something cannot be saved.

        Example:
            >>> import os, tempfile
            >>> path = os.path.join(tempfile.mkdtemp(), "space.keras")
            >>> keras.utils.FeatureSpace({"size": "float"}).save(path)
            >>> convert_to_numpy(keras.saving.load_model(path)({"size": 2})).tolist()
            [2.0]
        """
        if not os.fspath(filepath).endswith(".keras"):
            raise SpecError(
                f"{self._label}, save",
                expected="a path that ends in .keras",
                received=f"{os.fspath(filepath)!r}",
                fix="save it as space.keras",
            )
        if not self._list_adaptable():
            self.get_encoded_features()
            self.built = True
        save_model(cast(Any, self), filepath)


def _is_array(x: object) -> bool:
    return isinstance(x, np.ndarray)


def _run(layer: Any, inputs: Any) -> Any:
    """Calls a preprocessing layer. Of one that computes on the host, arrays stay arrays."""
    arrays = inputs if isinstance(inputs, list) else [inputs]
    is_host = (
        isinstance(layer, HostLayer) and is_builtin(type(layer)) and all(map(_is_array, arrays))
    )
    if not is_host:
        return layer(inputs)
    outputs = layer.run_on_host(inputs)
    return outputs if _is_array(outputs) else layer._from_host(outputs)


def _join_arrays(encoded: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Returns the encoded features, where arrays next to each other are one."""
    parts: list[tuple[str, Any]] = []
    for is_array, group in groupby(encoded.items(), lambda item: _is_array(item[1])):
        items = list(group)
        if is_array:
            items = [(items[0][0], np.concatenate([x for _, x in items], axis=-1))]
        parts += items
    return parts


def _make_concat(encoded: Mapping[str, KerasTensor]) -> TFDConcat:
    for name, tensor in encoded.items():
        if not tensor.dtype.startswith(("float", "bfloat")):
            raise SpecError(
                f"FeatureSpace, feature {name!r}",
                expected="floating-point numbers, to be concatenated",
                received=f"dtype {tensor.dtype}",
                fix="set output_mode='dict' of the FeatureSpace, or 'one_hot' of the feature",
            )
    return TFDConcat(axis=-1)


def _is_adaptable(layer: Any) -> bool:
    """Returns whether a layer computes something of data: its constructor was not given it."""
    if not hasattr(layer, "adapt"):
        return False
    try:
        getattr(layer, "_check_adaptable", lambda: None)()
    except SpecError:
        return False
    return True


def _is_table(x: Any) -> bool:
    """Returns whether `x` is a dict or a table with named columns."""
    return isinstance(x, Mapping) or hasattr(x, "columns")


def _with_batch_axis(x: Any) -> tuple[Any, bool]:
    """Returns values of shape `(batch, n)`, and whether they were those of one sample."""
    if not hasattr(x, "shape") or hasattr(x, "iloc"):
        x = to_host_values(x)
    rank = len(x.shape)
    if rank == 0:
        return np.asarray(x)[None, None] if isinstance(x, np.generic) else x[None, None], True
    return (x[..., None] if rank == 1 else x), False


def _stack(samples: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}
