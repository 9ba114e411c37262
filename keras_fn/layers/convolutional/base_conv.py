"""Base class of the convolution layers."""

from collections.abc import Sequence
from typing import Any

from keras_fn.core.input_spec import InputSpec
from keras_fn.core.masking import drop_mask
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import (
    add_weight_from_spec,
    argument_error,
    int_tuple,
    one_of,
    positive_int,
)
from keras_fn.layers._shapes import static_dim
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add
from keras_fn.ops.dense import bias_add
from keras_fn.settings import standardize_data_format


class Convolution(Layer):
    """Base class of the convolution layers over `rank` spatial axes."""

    compute_mask = drop_mask
    rank: int
    use_bias: bool
    activation: Any
    bias: Variable | None = None
    _may_be_causal = False
    _written_when_none = frozenset({"activity_regularizer"})

    def _set_window(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str | None,
        dilation_rate: int | Sequence[int],
    ) -> None:
        rank = self.rank
        paddings = ("valid", "same", "causal") if self._may_be_causal else ("valid", "same")
        self.kernel_size = int_tuple(self, "kernel_size", kernel_size, rank)
        self.strides = int_tuple(self, "strides", strides, rank)
        self.padding = one_of(self, "padding", padding, paddings)
        self.dilation_rate = int_tuple(self, "dilation_rate", dilation_rate, rank)
        self.data_format = standardize_data_format(data_format)
        self._channel_axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=rank + 2)

    def _set_filters(self, filters: Any, groups: Any = 1) -> None:
        self.filters = positive_int(self, "filters", filters)
        groups = positive_int(self, "groups", groups)
        if filters % groups:
            raise argument_error(
                self,
                "filters",
                f"a multiple of groups={groups}",
                filters,
                f"for example filters={groups * max(1, round(filters / groups))}",
            )

    def _channels(self, input_shape: Any, groups: int = 1) -> int:
        """Returns the number of channels of the input, and asks for it from now on."""
        channels = static_dim(input_shape, self._channel_axis, self)
        if channels % groups:
            raise SpecError(
                self._label,
                expected=f"a number of channels that groups={groups} divides",
                received=f"{channels} channels (shape {input_shape}, {self.data_format})",
                fix="change groups, or check data_format",
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    def _add_bias(self, filters: int) -> None:
        if self.use_bias:
            self.bias = add_weight_from_spec(self, "bias", (filters,))

    def _add_bias_and_activate(self, x: Any) -> Any:
        """Adds the bias and applies the activation."""
        if self.bias is not None:
            if self._channel_axis == -1:
                x = add(x, self.bias)
            else:
                x = bias_add(x, self.bias, "channels_first")
        return x if self.activation is None else self.activation(x)
