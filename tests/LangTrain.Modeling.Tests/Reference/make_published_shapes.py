"""Writes published/shapes.json beside this file: names and shapes of published models, as transformers makes them from their configs on the meta device.

python3 make_published_shapes.py shapes.json   (made with transformers 5.12.1)

Configs are those of the model cards, shortened to what shapes depend on; rotary factors of Phi-3.5 and Phi-4 are all 1. Layers that are alike are written once, with their number.
"""
import json
import re
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def llama(hidden, ffn, layers, heads, kv, vocab, context, tied=False, kind="llama", **more):
    return dict(model_type=kind, hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv, vocab_size=vocab,
                max_position_embeddings=context, tie_word_embeddings=tied, rms_norm_eps=1e-5, rope_theta=10000.0, bos_token_id=1, eos_token_id=2, **more)


def gemma(kind, hidden, ffn, layers, heads, kv, head, vocab, scalar, window, **more):
    return dict(model_type=kind, hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv, head_dim=head, vocab_size=vocab,
                query_pre_attn_scalar=scalar, sliding_window=window, max_position_embeddings=8192, rms_norm_eps=1e-6, bos_token_id=2, eos_token_id=1, pad_token_id=0, **more)


def phi(hidden, ffn, layers, heads, kv, vocab, factors=None, tied=False, **more):
    scaling = None if factors is None else {"type": "longrope", "short_factor": [1.0] * factors, "long_factor": [1.0] * factors}
    return dict(model_type="phi3", hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv, vocab_size=vocab,
                max_position_embeddings=131072 if factors else 4096, original_max_position_embeddings=4096, tie_word_embeddings=tied, rope_theta=10000.0, rope_scaling=scaling,
                bos_token_id=1, eos_token_id=2, pad_token_id=0, rms_norm_eps=1e-5, **more)


def gpt2(width, layers, heads):
    return dict(model_type="gpt2", n_embd=width, n_layer=layers, n_head=heads, n_positions=1024, vocab_size=50257, bos_token_id=50256, eos_token_id=50256)


MODELS = {
    "meta-llama/Llama-2-7b-hf": llama(4096, 11008, 32, 32, 32, 32000, 4096),
    "meta-llama/Llama-2-13b-hf": llama(5120, 13824, 40, 40, 40, 32000, 4096),
    "meta-llama/Llama-2-70b-hf": llama(8192, 28672, 80, 64, 8, 32000, 4096),
    "meta-llama/Llama-3.1-8B": llama(4096, 14336, 32, 32, 8, 128256, 131072, rope_scaling=LLAMA3),
    "meta-llama/Llama-3.1-70B": llama(8192, 28672, 80, 64, 8, 128256, 131072, rope_scaling=LLAMA3),
    "meta-llama/Llama-3.2-1B": llama(2048, 8192, 16, 32, 8, 128256, 131072, tied=True, head_dim=64, rope_scaling=dict(LLAMA3, factor=32.0)),
    "meta-llama/Llama-3.2-3B": llama(3072, 8192, 28, 24, 8, 128256, 131072, tied=True, head_dim=128, rope_scaling=dict(LLAMA3, factor=32.0)),
    "mistralai/Mistral-7B-v0.1": llama(4096, 14336, 32, 32, 8, 32000, 32768, kind="mistral", sliding_window=4096),
    "mistralai/Mistral-Nemo-Instruct-2407": llama(5120, 14336, 40, 32, 8, 131072, 131072, kind="mistral", sliding_window=None, head_dim=128),
    "mistralai/Mistral-Small-24B-Instruct-2501": llama(5120, 32768, 40, 32, 8, 131072, 32768, kind="mistral", sliding_window=None, head_dim=128),
    "Qwen/Qwen2.5-0.5B": llama(896, 4864, 24, 14, 2, 151936, 32768, tied=True, kind="qwen2", use_sliding_window=False),
    "Qwen/Qwen2.5-7B": llama(3584, 18944, 28, 28, 4, 152064, 131072, kind="qwen2", use_sliding_window=False),
    "Qwen/Qwen2.5-72B": llama(8192, 29568, 80, 64, 8, 152064, 131072, kind="qwen2", use_sliding_window=False),
    "Qwen/Qwen3-0.6B": llama(1024, 3072, 28, 16, 8, 151936, 40960, tied=True, kind="qwen3", head_dim=128),
    "Qwen/Qwen3-8B": llama(4096, 12288, 36, 32, 8, 151936, 40960, kind="qwen3", head_dim=128),
    "Qwen/Qwen3-32B": llama(5120, 25600, 64, 64, 8, 151936, 40960, kind="qwen3", head_dim=128),
    "google/gemma-2-2b": gemma("gemma2", 2304, 9216, 26, 8, 4, 256, 256000, 256, 4096),
    "google/gemma-2-9b": gemma("gemma2", 3584, 14336, 42, 16, 8, 256, 256000, 256, 4096),
    "google/gemma-2-27b": gemma("gemma2", 4608, 36864, 46, 32, 16, 128, 256000, 144, 4096),
    "google/gemma-3-1b-it": gemma("gemma3_text", 1152, 6912, 26, 4, 1, 256, 262144, 256, 512),
    "google/gemma-3-27b-it (text)": gemma("gemma3_text", 5376, 21504, 62, 32, 16, 128, 262208, 168, 1024),
    "microsoft/Phi-3-mini-4k-instruct": phi(3072, 8192, 32, 32, 32, 32064, sliding_window=2047),
    "microsoft/Phi-3.5-mini-instruct": phi(3072, 8192, 32, 32, 32, 32064, 48, sliding_window=262144),
    "microsoft/Phi-3-medium-128k-instruct": phi(5120, 17920, 40, 40, 10, 32064, 64, sliding_window=131072),
    "microsoft/Phi-4-mini-instruct": phi(3072, 8192, 32, 24, 8, 200064, 48, tied=True, sliding_window=262144, partial_rotary_factor=0.75),
    "microsoft/phi-4": phi(5120, 17920, 40, 40, 10, 100352, sliding_window=None),
    "HuggingFaceTB/SmolLM3-3B": llama(2048, 11008, 36, 16, 4, 128256, 65536, tied=True, kind="smollm3", no_rope_layer_interval=4, use_sliding_window=False),
    "ibm-granite/granite-3.3-2b-instruct": llama(2048, 8192, 40, 32, 8, 49159, 131072, tied=True, kind="granite", embedding_multiplier=12.0, attention_multiplier=0.015625, residual_multiplier=0.22, logits_scaling=8.0),
    "ibm-granite/granite-3.3-8b-instruct": llama(4096, 12800, 40, 32, 8, 49159, 131072, tied=True, kind="granite", embedding_multiplier=12.0, attention_multiplier=0.0078125, residual_multiplier=0.22, logits_scaling=16.0),
    "allenai/OLMo-2-0425-1B": llama(2048, 8192, 16, 16, 16, 100352, 4096, kind="olmo2"),
    "allenai/OLMo-2-1124-7B": llama(4096, 11008, 32, 32, 32, 100352, 4096, kind="olmo2"),
    "openai-community/gpt2": gpt2(768, 12, 12),
    "openai-community/gpt2-xl": gpt2(1600, 48, 25),
}

result = []
for name, config in MODELS.items():
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=torch.bfloat16)
    tensors, parameters = {}, 0
    for key, value in model.named_parameters():
        parameters += value.numel()
        key = re.sub(r"\.\d+\.", ".*.", key)
        shape = list(value.shape)
        if key in tensors and tensors[key][0] != shape:
            raise SystemExit(f"{name}: layers differ in {key}")
        tensors[key] = (shape, tensors.get(key, (shape, 0))[1] + 1)
    result.append(dict(name=name, config=config, parameters=parameters, tensors={key: [count] + shape for key, (shape, count) in tensors.items()}))
with open(sys.argv[1], "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(one) for one in result) + "\n]\n")
print(len(result), "models")
