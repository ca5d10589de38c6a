"""Makes the tiny folders hf_* beside this file with Hugging Face transformers: settings that make_references.py does not have.

    python3 make_transformers_references.py .   (made with transformers 5.12.1, torch 2.14.1)

golden.json holds ids and the float64 logits of transformers' own forward pass. Weights are random, rounded to bfloat16.
"""

import json
import os
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

FOLDER = sys.argv[1]
BASE = dict(
    vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3,
)
GPT2 = dict(vocab_size=40, n_embd=16, n_layer=3, n_head=2, n_positions=64, bos_token_id=1, eos_token_id=2, initializer_range=0.3)
YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0, "original_max_position_embeddings": 8}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.5, 2.0, 3.0, 4.0], "original_max_position_embeddings": 10}
CASES = {
    "hf_qwen2_yarn": ("qwen2", dict(BASE, rope_parameters=YARN), 14),
    "hf_llama_yarn_scales": ("llama", dict(BASE, hidden_act="relu", rope_parameters=dict(YARN, mscale=0.7, mscale_all_dim=1.2, truncate=False, beta_fast=16.0, beta_slow=2.0)), 14),
    "hf_qwen3_window": ("qwen3", dict(BASE, head_dim=12, num_hidden_layers=3, attention_bias=True, use_sliding_window=True, sliding_window=4, max_window_layers=1, tie_word_embeddings=True), 14),
    "hf_gemma2_types": ("gemma2", dict(BASE, num_hidden_layers=3, head_dim=12, query_pre_attn_scalar=20, sliding_window=5, attn_logit_softcapping=3.0, final_logit_softcapping=None, layer_types=["full_attention", "full_attention", "sliding_attention"]), 14),
    "hf_phi3_short": ("phi3", dict(BASE, original_max_position_embeddings=10, rope_parameters=dict(LONG)), 10),
    "hf_phi3_long": ("phi3", dict(BASE, original_max_position_embeddings=10, rope_parameters=dict(LONG)), 11),
    "hf_smollm3": ("smollm3", dict(BASE, num_hidden_layers=4, no_rope_layer_interval=3, use_sliding_window=True, sliding_window=5), 14),
    "hf_granite": ("granite", dict(BASE, attention_bias=True, mlp_bias=True, embedding_multiplier=3.0, attention_multiplier=0.2, residual_multiplier=0.4, logits_scaling=1.7), 14),
    "hf_olmo2": ("olmo2", dict(BASE, attention_bias=True, rope_parameters={"rope_type": "default", "rope_theta": 500000.0}), 14),
    "hf_gpt2_scales": ("gpt2", dict(GPT2, scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True, activation_function="relu", n_inner=20, tie_word_embeddings=False), 14),
}

for name, (kind, settings, length) in CASES.items():
    torch.manual_seed(sum(map(ord, name)))
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings), attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            parameter.copy_(parameter.bfloat16())
    folder = os.path.join(FOLDER, name)
    model.save_pretrained(folder)
    weights = {key: value.bfloat16() for key, value in load_file(os.path.join(folder, "model.safetensors")).items()}
    save_file(weights, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    ids = torch.randint(0, 40, (1, length))
    with torch.no_grad():
        logits = model.double()(ids, use_cache=False).logits[0]
    with open(os.path.join(folder, "golden.json"), "w") as file:
        json.dump({"ids": ids[0].tolist(), "logits": [[float(f"{value:.8g}") for value in row] for row in logits.tolist()]}, file)
