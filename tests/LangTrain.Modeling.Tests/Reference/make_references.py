"""Makes the tiny model folders beside this file, each with golden logits from the plain float64 NumPy implementation below.

    python3 make_references.py

The implementation follows the published descriptions of each family (the papers named in the code, and the arithmetic of the original
implementations) and shares nothing with the library under test: loops over heads and positions, no caches, no fused anything.
Weights are random, rounded to bfloat16, so that the stored file is exactly what was computed with.
"""

import json
import math
import os
import struct

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
T = 14


def to_bf16(x):
    """Rounds float32 to the nearest bfloat16, ties to even; returns the 16 bits."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, bits in tensors.items():
        raw = bits.tobytes()
        header[name] = {"dtype": "BF16", "shape": list(bits.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# --- the arithmetic -----------------------------------------------------------------------------------------------------------------


def rms_norm(x, w, eps, plus_one=False):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * (1 + w if plus_one else w)


def layer_norm(x, w, b, eps):
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered * centered).mean(-1, keepdims=True) + eps) * w + b


def silu(x):
    return x / (1 + np.exp(-x))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def frequencies(dim, theta, scaling, length):
    """Angle of one position for each pair, and the factor on cosine and sine."""
    freq = np.array([theta ** (-2.0 * i / dim) for i in range(dim // 2)])
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "linear":
        freq = freq / scaling["factor"]
    elif kind == "llama3":
        for i, f in enumerate(freq):
            wavelength = 2 * math.pi / f
            original, low, high = scaling["original_max_position_embeddings"], scaling["low_freq_factor"], scaling["high_freq_factor"]
            if wavelength > original / low:
                freq[i] = f / scaling["factor"]
            elif wavelength >= original / high:
                smooth = (original / wavelength - low) / (high - low)
                freq[i] = (1 - smooth) * f / scaling["factor"] + smooth * f
    elif kind == "longrope":
        original = scaling["original_max_position_embeddings"]
        freq = freq / np.array(scaling["long_factor"] if length > original else scaling["short_factor"])
        return freq, math.sqrt(1 + math.log(scaling["ratio"]) / math.log(original))
    return freq, 1.0


def rotate(head, position, freq, factor):
    """arXiv:2104.09864 with the pairs (i, i + half) of Hugging Face checkpoints; dimensions past the frequencies are left alone."""
    half, out = len(freq), head.copy()
    for i in range(half):
        c, s = factor * math.cos(position * freq[i]), factor * math.sin(position * freq[i])
        out[i] = head[i] * c - head[i + half] * s
        out[i + half] = head[i + half] * c + head[i] * s
    return out


def attend(q, k, v, scale, window=None, cap=None):
    """q [T, H, D], k and v [T, K, D]; each key head serves H/K query heads in a row."""
    tokens, heads, _ = q.shape
    out = np.zeros_like(q)
    for h in range(heads):
        g = h // (heads // k.shape[1])
        for t in range(tokens):
            first = 0 if window is None else max(0, t - window + 1)
            scores = k[first : t + 1, g] @ q[t, h] * scale
            if cap is not None:
                scores = cap * np.tanh(scores / cap)
            out[t, h] = softmax(scores) @ v[first : t + 1, g]
    return out


def llama_like(w, c, ids):
    """Llama, Mistral, Qwen2, Qwen3, Gemma 2 and 3, Phi-3: `c` says in plain terms what differs."""
    prefix, heads, keys, size = c["prefix"], c["heads"], c["keys"], c["size"]
    plus_one, eps = c.get("plus_one", False), c["eps"]
    tokens = len(ids)
    x = w[prefix + "model.embed_tokens.weight"][ids] * c.get("embedding_scale", 1.0)

    def linear(x, name):
        y = x @ w[name + ".weight"].T
        return y + w[name + ".bias"] if name + ".bias" in w else y

    for layer in range(c["layers"]):
        name = f"{prefix}model.layers.{layer}."
        sliding = c.get("sliding", lambda _: False)(layer)
        h = rms_norm(x, w[name + "input_layernorm.weight"], eps, plus_one)
        if name + "self_attn.qkv_proj.weight" in w:
            q, k, v = np.split(linear(h, name + "self_attn.qkv_proj"), [heads * size, (heads + keys) * size], axis=-1)
        else:
            q, k, v = (linear(h, name + f"self_attn.{part}_proj") for part in "qkv")
        q, k, v = q.reshape(tokens, heads, size), k.reshape(tokens, keys, size), v.reshape(tokens, keys, size)
        if name + "self_attn.q_norm.weight" in w:
            q = rms_norm(q, w[name + "self_attn.q_norm.weight"], eps, plus_one)
            k = rms_norm(k, w[name + "self_attn.k_norm.weight"], eps, plus_one)
        theta, scaling = c["local_rope"] if sliding and "local_rope" in c else c["rope"]
        freq, factor = frequencies(int(size * c.get("partial", 1.0)), theta, scaling, tokens)
        q = np.array([[rotate(q[t, i], t, freq, factor) for i in range(heads)] for t in range(tokens)])
        k = np.array([[rotate(k[t, i], t, freq, factor) for i in range(keys)] for t in range(tokens)])
        a = attend(q, k, v, c.get("scale", size**-0.5), c["window"] if sliding else None, c.get("attention_cap"))
        a = linear(a.reshape(tokens, heads * size), name + "self_attn.o_proj")

        def feed_forward(h):
            if name + "mlp.gate_up_proj.weight" in w:
                gate, up = np.split(linear(h, name + "mlp.gate_up_proj"), 2, axis=-1)
            else:
                gate, up = linear(h, name + "mlp.gate_proj"), linear(h, name + "mlp.up_proj")
            return linear(c.get("activation", silu)(gate) * up, name + "mlp.down_proj")

        post = w[name + "post_attention_layernorm.weight"]
        if name + "pre_feedforward_layernorm.weight" in w:
            x = x + rms_norm(a, post, eps, plus_one)
            h = feed_forward(rms_norm(x, w[name + "pre_feedforward_layernorm.weight"], eps, plus_one))
            x = x + rms_norm(h, w[name + "post_feedforward_layernorm.weight"], eps, plus_one)
        else:
            x = x + a
            x = x + feed_forward(rms_norm(x, post, eps, plus_one))

    x = rms_norm(x, w[prefix + "model.norm.weight"], eps, plus_one)
    logits = x @ w.get(prefix + "lm_head.weight", w[prefix + "model.embed_tokens.weight"]).T
    cap = c.get("logit_cap")
    return logits if cap is None else cap * np.tanh(logits / cap)


def gpt2(w, c, ids):
    tokens, heads = len(ids), c["heads"]
    x = w["wte.weight"][ids] + w["wpe.weight"][:tokens]
    for layer in range(c["layers"]):
        name = f"h.{layer}."
        norm = lambda x, part: layer_norm(x, w[name + part + ".weight"], w[name + part + ".bias"], c["eps"])
        conv = lambda x, part: x @ w[name + part + ".weight"] + w[name + part + ".bias"]
        q, k, v = (part.reshape(tokens, heads, -1) for part in np.split(conv(norm(x, "ln_1"), "attn.c_attn"), 3, axis=-1))
        x = x + conv(attend(q, k, v, q.shape[-1] ** -0.5).reshape(tokens, -1), "attn.c_proj")
        x = x + conv(gelu_tanh(conv(norm(x, "ln_2"), "mlp.c_fc")), "mlp.c_proj")
    return layer_norm(x, w["ln_f.weight"], w["ln_f.bias"], c["eps"]) @ w["wte.weight"].T


# --- the folders --------------------------------------------------------------------------------------------------------------------


def shapes(c, vocab, hidden, inner, tied, biases=(), norms=("input", "post_attention"), fused=False, qk_norm=False):
    p, heads, keys, size = c["prefix"], c["heads"], c["keys"], c["size"]
    yield p + "model.embed_tokens.weight", (vocab, hidden)
    linears = {"self_attn.o_proj": (hidden, heads * size), "mlp.down_proj": (hidden, inner)}
    if fused:
        linears |= {"self_attn.qkv_proj": ((heads + 2 * keys) * size, hidden), "mlp.gate_up_proj": (2 * inner, hidden)}
    else:
        linears |= {"self_attn.q_proj": (heads * size, hidden), "self_attn.k_proj": (keys * size, hidden), "self_attn.v_proj": (keys * size, hidden)}
        linears |= {"mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden)}
    for layer in range(c["layers"]):
        name = f"{p}model.layers.{layer}."
        for part, shape in linears.items():
            yield name + part + ".weight", shape
            if part.split(".")[1] in biases:
                yield name + part + ".bias", shape[:1]
        for norm in norms:
            yield name + norm + "_layernorm.weight", (hidden,)
        if qk_norm:
            yield name + "self_attn.q_norm.weight", (size,)
            yield name + "self_attn.k_norm.weight", (size,)
    yield p + "model.norm.weight", (hidden,)
    if not tied:
        yield p + "lm_head.weight", (vocab, hidden)


def make(folder, seed, config, model, c, names_and_shapes, vocab=40, extra=()):
    random = np.random.default_rng(seed)
    bits = {}
    for name, shape in names_and_shapes:
        is_norm = "norm" in name or ".ln_" in name or name.startswith("ln_")
        if is_norm and name.endswith(".weight"):
            value = random.normal(0 if c.get("plus_one") else 1, 0.2, shape)
        elif len(shape) == 1:
            value = random.normal(0, 0.3, shape)
        else:
            value = random.normal(0, 0.6 if "embed" in name or name.startswith("w") else 1.3 / math.sqrt(shape[-1]), shape)
        bits[name] = to_bf16(value)
    ids = [int(i) for i in random.integers(0, vocab, T)]
    logits = model({name: from_bf16(value) for name, value in bits.items()}, c, ids)
    path = os.path.join(HERE, folder)
    os.makedirs(path, exist_ok=True)
    for name, shape in extra:
        bits[name] = to_bf16(np.ones(shape))
    write_safetensors(os.path.join(path, "model.safetensors"), bits)
    with open(os.path.join(path, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
        file.write("\n")
    with open(os.path.join(path, "golden.json"), "w") as file:
        json.dump({"ids": ids, "logits": [[float(f"{value:.8g}") for value in row] for row in logits]}, file)
        file.write("\n")


def base(kind, architecture, **more):
    return {
        "architectures": [architecture], "model_type": kind, "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2,
    } | more


def main():
    plain = {"prefix": "", "layers": 3, "heads": 4, "keys": 2, "size": 4, "eps": 1e-5}

    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
    c = plain | {"rope": (500.0, scaling)}
    config = base("llama", "LlamaForCausalLM", hidden_act="silu", rope_theta=500.0, rope_scaling=scaling, tie_word_embeddings=False, torch_dtype="bfloat16", attention_bias=False, mlp_bias=False, pretraining_tp=1, use_cache=True)
    make("llama31", 1, config, llama_like, c, shapes(c, 40, 16, 24, False))

    c = plain | {"rope": (10000.0, {"rope_type": "linear", "factor": 4.0})}
    config = base("llama", "LlamaForCausalLM", hidden_act="silu", rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}, tie_word_embeddings=True, dtype="bfloat16", attention_bias=True, mlp_bias=True)
    every = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    make("llama_linear_biased", 2, config, llama_like, c, shapes(c, 40, 16, 24, True, every))

    c = plain | {"rope": (10000.0, {}), "window": 5, "sliding": lambda layer: True}
    config = base("mistral", "MistralForCausalLM", hidden_act="silu", rope_theta=10000.0, sliding_window=5, tie_word_embeddings=False, torch_dtype="bfloat16")
    make("mistral", 3, config, llama_like, c, shapes(c, 40, 16, 24, False))

    c = plain | {"rope": (1000000.0, {}), "window": 4, "sliding": lambda layer: layer >= 1, "eps": 1e-6}
    config = base("qwen2", "Qwen2ForCausalLM", hidden_act="silu", rope_theta=1000000.0, sliding_window=4, max_window_layers=1, use_sliding_window=True, use_mrope=False, tie_word_embeddings=True, torch_dtype="bfloat16", rms_norm_eps=1e-6)
    make("qwen2", 4, config, llama_like, c, shapes(c, 40, 16, 24, True, ("q_proj", "k_proj", "v_proj")))

    c = plain | {"rope": (1000000.0, {}), "size": 6, "eps": 1e-6}
    config = base("qwen3", "Qwen3ForCausalLM", hidden_act="silu", head_dim=6, rope_theta=1000000.0, rope_scaling=None, sliding_window=None, max_window_layers=3, use_sliding_window=False, attention_bias=False, tie_word_embeddings=False, torch_dtype="bfloat16", rms_norm_eps=1e-6)
    make("qwen3", 5, config, llama_like, c, shapes(c, 40, 16, 24, False, qk_norm=True))

    sandwich = ("input", "post_attention", "pre_feedforward", "post_feedforward")
    gemma = plain | {"size": 8, "eps": 1e-6, "plus_one": True, "embedding_scale": 4.0, "activation": gelu_tanh}
    c = gemma | {"rope": (10000.0, {}), "window": 5, "sliding": lambda layer: layer % 2 == 0, "scale": 10**-0.5, "attention_cap": 3.0, "logit_cap": 8.0}
    config = base("gemma2", "Gemma2ForCausalLM", head_dim=8, hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", rope_theta=10000.0, sliding_window=5, query_pre_attn_scalar=10, attn_logit_softcapping=3.0, final_logit_softcapping=8.0, attention_bias=False, rms_norm_eps=1e-6, cache_implementation="hybrid", torch_dtype="bfloat16")
    make("gemma2", 6, config, llama_like, c, shapes(c, 40, 16, 24, True, norms=sandwich))

    # As published with vision: the text model nested and prefixed, its config thinned to what differs from the family's defaults.
    c = gemma | {"prefix": "language_model.", "layers": 4, "rope": (1000000.0, {"rope_type": "linear", "factor": 8.0}), "local_rope": (10000.0, {}), "window": 5, "sliding": lambda layer: (layer + 1) % 2 != 0, "scale": 9**-0.5}
    text = {"model_type": "gemma3_text", "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 5, "sliding_window_pattern": 2, "query_pre_attn_scalar": 9}
    config = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "boi_token_index": 35, "eos_token_id": [1, 36], "image_token_index": 37, "mm_tokens_per_image": 256, "text_config": text, "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"}, "torch_dtype": "bfloat16"}
    make("gemma3", 7, config, llama_like, c, shapes(c, 40, 16, 24, True, norms=sandwich, qk_norm=True), extra=[("vision_tower.vision_model.post_layernorm.weight", (4,)), ("multi_modal_projector.mm_soft_emb_norm.weight", (4,))])

    c = gemma | {"rope": (1000000.0, {"rope_type": "linear", "factor": 2.0}), "local_rope": (10000.0, {}), "window": 4, "sliding": lambda layer: layer != 1, "scale": 8**-0.5}
    config = base("gemma3_text", "Gemma3ForCausalLM", head_dim=8, hidden_activation="gelu_pytorch_tanh", sliding_window=4, query_pre_attn_scalar=8, rms_norm_eps=1e-6, layer_types=["sliding_attention", "full_attention", "sliding_attention"], attn_logit_softcapping=None, final_logit_softcapping=None, use_bidirectional_attention=False, attention_bias=False, attention_dropout=0.0, _sliding_window_pattern=6, dtype="bfloat16")
    config["rope_parameters"] = {"full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1000000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}
    make("gemma3_text", 8, config, llama_like, c, shapes(c, 40, 16, 24, True, norms=sandwich, qk_norm=True))

    # 14 tokens are past the original context of 8: the long factors apply, to three quarters of each head of 8.
    scaling = {"type": "longrope", "short_factor": [1.0, 1.0, 1.1], "long_factor": [1.0, 1.5, 3.0]}
    c = plain | {"size": 8, "heads": 2, "keys": 1, "partial": 0.75, "rope": (10000.0, scaling | {"original_max_position_embeddings": 8, "ratio": 64 / 8}), "window": 6, "sliding": lambda layer: True}
    config = base("phi3", "Phi3ForCausalLM", hidden_act="silu", num_attention_heads=2, num_key_value_heads=1, rope_theta=10000.0, rope_scaling=scaling, original_max_position_embeddings=8, partial_rotary_factor=0.75, sliding_window=6, attention_bias=False, mlp_bias=False, lm_head_bias=False, interpolate_factor=1, full_attn_mod=1, embd_pdrop=0.0, resid_pdrop=0.0, tie_word_embeddings=True, torch_dtype="bfloat16")
    make("phi3", 9, config, llama_like, c, shapes(c, 40, 16, 24, True, fused=True))

    c = {"layers": 3, "heads": 4, "eps": 1e-5}
    names = [("wte.weight", (40, 16)), ("wpe.weight", (32, 16)), ("ln_f.weight", (16,)), ("ln_f.bias", (16,))]
    for layer in range(3):
        for part, shape in {"attn.c_attn": (16, 48), "attn.c_proj": (16, 16), "mlp.c_fc": (16, 64), "mlp.c_proj": (64, 16)}.items():
            names += [(f"h.{layer}.{part}.weight", shape), (f"h.{layer}.{part}.bias", shape[1:])]
        names += [(f"h.{layer}.{part}", (16,)) for part in ("ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias")]
    config = {"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 39, "embd_pdrop": 0.1, "eos_token_id": 39, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 32, "n_embd": 16, "n_head": 4, "n_layer": 3, "n_positions": 32, "resid_pdrop": 0.1, "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index", "summary_use_proj": True, "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}, "vocab_size": 40}
    make("gpt2", 10, config, gpt2, c, names, extra=[(f"h.{layer}.attn.bias", (1, 1, 32, 32)) for layer in range(3)])


if __name__ == "__main__":
    main()
