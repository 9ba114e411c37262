"""The JAX backend of keras_fn."""

from keras_fn_jax import ops as ops
from keras_fn_jax.batching import (
    gather_rows as gather_rows,
    prepare_host_batch as prepare_host_batch,
    split_into_batches as split_into_batches,
)
from keras_fn_jax.compilation_cache import cache_compilations as cache_compilations
from keras_fn_jax.device import device_scope as device_scope, list_devices as list_devices
from keras_fn_jax.distribution import (
    exchange_counts as exchange_counts,
    exchange_text as exchange_text,
    initialize_processes as initialize_processes,
    join_rows as join_rows,
    local_values as local_values,
    make_mesh as make_mesh,
    make_sharding as make_sharding,
    owned_slices as owned_slices,
    process_count as process_count,
    process_index as process_index,
    shard as shard,
    spans_processes as spans_processes,
)
from keras_fn_jax.export import (
    export_stablehlo as export_stablehlo,
    export_tf_saved_model as export_tf_saved_model,
)
from keras_fn_jax.interop import (
    call_jax as call_jax,
    flatten_pytree as flatten_pytree,
    flax_collections_but as flax_collections_but,
    wrap_jax as wrap_jax,
)
from keras_fn_jax.layer import LayerBase as LayerBase
from keras_fn_jax.multi_step import compile_multi_step as compile_multi_step
from keras_fn_jax.op_jit import compile_op as compile_op
from keras_fn_jax.profiling import (
    block_until_ready as block_until_ready,
    is_out_of_memory as is_out_of_memory,
    profile as profile,
)
from keras_fn_jax.refusals import (
    is_refusal as is_refusal,
    is_value_donated as is_value_donated,
    needs_values as needs_values,
)
from keras_fn_jax.shared_traces import trace_settings as trace_settings
from keras_fn_jax.sparse import (
    make_sparse as make_sparse,
    map_values as map_values,
    sparse_from_numpy as sparse_from_numpy,
    sparse_matmul as sparse_matmul,
    sparse_parts as sparse_parts,
    sparse_sparse_matmul as sparse_sparse_matmul,
    to_dense as to_dense,
)
from keras_fn_jax.tensors import (
    cast as cast,
    convert_to_numpy as convert_to_numpy,
    convert_to_tensor as convert_to_tensor,
    dtype_name as dtype_name,
    from_numpy as from_numpy,
    is_sparse as is_sparse,
    is_tensor as is_tensor,
    is_traced as is_traced,
    shape as shape,
    stored_dtype as stored_dtype,
)
from keras_fn_jax.transforms import (
    abstract_eval as abstract_eval,
    compile as compile,
    compile_call as compile_call,
    outline as outline,
    value_and_grad as value_and_grad,
)
from keras_fn_jax.variables import (
    assign as assign,
    assign_add as assign_add,
    new_sharded_variable as new_sharded_variable,
    new_variable as new_variable,
    set_trainable as set_trainable,
    take_over as take_over,
)

name = "jax"
