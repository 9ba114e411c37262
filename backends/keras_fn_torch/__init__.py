"""The PyTorch backend of keras_fn."""

from keras_fn_torch import ops as ops
from keras_fn_torch.batching import (
    gather_rows as gather_rows,
    prepare_host_batch as prepare_host_batch,
    split_into_batches as split_into_batches,
)
from keras_fn_torch.compilation_cache import cache_compilations as cache_compilations
from keras_fn_torch.device import (
    default_device as default_device,
    device_scope as device_scope,
    list_devices as list_devices,
    to_device as to_device,
)
from keras_fn_torch.distribution import (
    all_reduce_sum as all_reduce_sum,
    exchange_counts as exchange_counts,
    exchange_text as exchange_text,
    gather_shards as gather_shards,
    initialize_processes as initialize_processes,
    local_values as local_values,
    process_count as process_count,
    process_index as process_index,
    summed_value_and_grad as summed_value_and_grad,
)
from keras_fn_torch.dtype_fallback import widen_operands as widen_operands
from keras_fn_torch.export import export_onnx as export_onnx, export_torch as export_torch
from keras_fn_torch.foreach import ForEach as foreach
from keras_fn_torch.interop import (
    call_module as call_module,
    initialize_module as initialize_module,
    is_initialized as is_initialized,
    module_variables as module_variables,
)
from keras_fn_torch.layer import LayerBase as LayerBase, is_module as is_module
from keras_fn_torch.profiling import (
    block_until_ready as block_until_ready,
    is_out_of_memory as is_out_of_memory,
    profile as profile,
)
from keras_fn_torch.ragged import (
    ragged_from_rows as ragged_from_rows,
    ragged_samples as ragged_samples,
)
from keras_fn_torch.refusals import is_refusal as is_refusal, needs_values as needs_values
from keras_fn_torch.sparse import (
    make_sparse as make_sparse,
    map_values as map_values,
    sparse_from_numpy as sparse_from_numpy,
    sparse_matmul as sparse_matmul,
    sparse_parts as sparse_parts,
    sparse_sparse_matmul as sparse_sparse_matmul,
    to_dense as to_dense,
)
from keras_fn_torch.tensors import (
    cast as cast,
    convert_to_numpy as convert_to_numpy,
    convert_to_tensor as convert_to_tensor,
    dtype_name as dtype_name,
    from_numpy as from_numpy,
    is_ragged as is_ragged,
    is_sparse as is_sparse,
    is_tensor as is_tensor,
    is_traced as is_traced,
    shape as shape,
)
from keras_fn_torch.transforms import (
    abstract_eval as abstract_eval,
    compile as compile,
    record_gradients as record_gradients,
    value_and_grad as value_and_grad,
)
from keras_fn_torch.variables import (
    assign as assign,
    assign_add as assign_add,
    new_variable as new_variable,
    set_trainable as set_trainable,
    take_over as take_over,
)

name = "torch"
survives_fork = True
