"""Replicas that the tests of the throughput model share."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from breakeven.core.calibration import Calibration
from breakeven.core.latency import Requests
from breakeven.core.replica import AcceleratorSpeed, ModelShape, Replica

# Every share 1 and every fixed time 0, so that arithmetic by hand is a datasheet's.
BARE = Calibration(
    bandwidth_share=1.0,
    kv_bandwidth_share=1.0,
    matmul_share=1.0,
    attention_share=1.0,
    activation_traffic=0.0,
    nvlink_share=1.0,
    pcie_share=1.0,
    all_reduce_s=0.0,
    layer_s=0.0,
    expert_layer_s=0.0,
    expert_matmul_share=1.0,
    expert_bandwidth_share=1.0,
    expert_tile_rows=0.0,
    unpack_share=1.0,
    step_s=0.0,
    sequence_s=0.0,
    roofline_power=200.0,  # the larger bound counts
    request_s=0.0,
    prompt_token_s=0.0,
)
# Vocabulary 1, so that head and sampler are next to nothing.
DENSE = ModelShape(
    parameters_billion=10,
    active_parameters_billion=10,
    layers=10,
    hidden_size=1000,
    vocabulary=1,
    attention_width=2000,
    attention_layers=10,
    kv_bytes_per_token=100_000,
)
GPU = AcceleratorSpeed(bandwidth_gb_per_s=2000, tflops=200, bf16_tflops=200, link_gb_per_s=100)
ONE = Replica(model=DENSE, accelerator=GPU, kv_cache_gib=40)

CHAT = Requests(input_tokens=500, output_tokens=200)
H100 = AcceleratorSpeed(bandwidth_gb_per_s=3350, tflops=794, bf16_tflops=794, link_gb_per_s=450)
LLAMA_8B = ModelShape(
    parameters_billion=8.03,
    active_parameters_billion=8.03,
    layers=32,
    hidden_size=4096,
    vocabulary=128256,
    attention_width=32 * 256,
    attention_layers=32,
    kv_bytes_per_token=131_072,
)
MIXTRAL = replace(
    LLAMA_8B, parameters_billion=46.7, active_parameters_billion=12.9, vocabulary=32000, experts=8, experts_per_token=2
)
SERVER = Replica(model=LLAMA_8B, accelerator=H100, kv_cache_gib=50)
SERVERS = st.builds(
    Replica,
    model=st.sampled_from([LLAMA_8B, MIXTRAL]),
    accelerator=st.just(H100),
    tensor_parallel_size=st.sampled_from([1, 2, 4, 8]),
    pipeline_parallel_size=st.sampled_from([1, 2]),
    kv_cache_gib=st.floats(0.1, 500),
    max_num_seqs=st.integers(1, 1024),
)
SHAPES = st.builds(
    Requests,
    input_tokens=st.integers(1, 20_000),
    output_tokens=st.integers(1, 4_000),
    cached_share=st.sampled_from([0.0, 0.5, 0.9]),
)
