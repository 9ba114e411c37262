"""The TensorFlow backend of keras_fn."""

from keras_fn_tensorflow import _without_keras as _without_keras  # isort: split

from keras_fn_tensorflow import ops as ops
from keras_fn_tensorflow.batching import (
    gather_rows as gather_rows,
    prepare_host_batch as prepare_host_batch,
    split_into_batches as split_into_batches,
)
from keras_fn_tensorflow.device import (
    device_scope as device_scope,
)
from keras_fn_tensorflow.distribution import (
    all_reduce_sum as all_reduce_sum,
    exchange_counts as exchange_counts,
    exchange_text as exchange_text,
    gather_shards as gather_shards,
    initialize_processes as initialize_processes,
    list_devices as list_devices,
    local_values as local_values,
    process_count as process_count,
    process_index as process_index,
    summed_value_and_grad as summed_value_and_grad,
)
from keras_fn_tensorflow.export import (
    endpoint_function as endpoint_function,
    export_litert as export_litert,
    export_tf_saved_model as export_tf_saved_model,
    traced_signature as traced_signature,
)
from keras_fn_tensorflow.interop import (
    call_jax as call_jax,
    flatten_pytree as flatten_pytree,
    flax_collections_but as flax_collections_but,
    load_saved_model as load_saved_model,
    wrap_jax as wrap_jax,
)
from keras_fn_tensorflow.layer import LayerBase as LayerBase
from keras_fn_tensorflow.multi_step import compile_multi_step as compile_multi_step
from keras_fn_tensorflow.profiling import (
    block_until_ready as block_until_ready,
    is_out_of_memory as is_out_of_memory,
    profile as profile,
)
from keras_fn_tensorflow.ragged import (
    ragged_from_rows as ragged_from_rows,
    ragged_samples as ragged_samples,
)
from keras_fn_tensorflow.refusals import is_refusal as is_refusal, needs_values as needs_values
from keras_fn_tensorflow.shared_traces import trace_settings as trace_settings
from keras_fn_tensorflow.sparse import (
    make_sparse as make_sparse,
    map_values as map_values,
    sparse_from_numpy as sparse_from_numpy,
    sparse_matmul as sparse_matmul,
    sparse_parts as sparse_parts,
    sparse_sparse_matmul as sparse_sparse_matmul,
    to_dense as to_dense,
)
from keras_fn_tensorflow.tensors import (
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
from keras_fn_tensorflow.transforms import (
    abstract_eval as abstract_eval,
    compile as compile,
    compile_call as compile_call,
    value_and_grad as value_and_grad,
)
from keras_fn_tensorflow.variables import (
    assign as assign,
    assign_add as assign_add,
    new_variable as new_variable,
    set_trainable as set_trainable,
    take_over as take_over,
)

name = "tensorflow"
text_tensors = True
