"""Makes reference_runs.json: whole fine-tunes of a tiny Llama, step by step, in float64 and plain PyTorch.

    python3 make_reference_runs.py

Needs torch only, and shares nothing with the library under test: an adapter is merged into its weight (W + s B A, or DoRA's m (W + s B A) / |W + s B A|)
and autograd finds every gradient, one example at a time without padding, packing or accumulation. The test writes the same rows to a file and the same
numbers into a model folder, runs the recipe, and has to come to the same losses, norms, learning rates and weights.
"""

import json
import math
import os

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
VOCABULARY, HIDDEN, LAYERS, HEADS, KEYS, FEED, EPSILON, THETA = 259, 32, 2, 4, 2, 48, 1e-5, 10000.0
SIZE, BOS, EOS = HIDDEN // HEADS, 256, 257


# --- numbers that need no file: a hash of name and place, exact in both languages ---------------------------------------------------


def numbers(name, shape, scale):
    count, seed, values = math.prod(shape), 2166136261, []
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    for i in range(count):
        h = ((i + 1) * 2654435761 + seed) & 0xFFFFFFFF
        h ^= h >> 15
        h = h * 2246822519 & 0xFFFFFFFF
        h ^= h >> 13
        h = h * 3266489917 & 0xFFFFFFFF
        h ^= h >> 16
        values.append((h / 2**32 - 0.5) * 2 * scale)
    return torch.tensor(values, dtype=torch.float32).double().reshape(shape)


def linears():
    shapes = {"q_proj": (HEADS * SIZE, HIDDEN), "k_proj": (KEYS * SIZE, HIDDEN), "v_proj": (KEYS * SIZE, HIDDEN), "o_proj": (HIDDEN, HEADS * SIZE)}
    feed = {"gate_proj": (FEED, HIDDEN), "up_proj": (FEED, HIDDEN), "down_proj": (HIDDEN, FEED)}
    for layer in range(LAYERS):
        yield from ((f"model.layers.{layer}.self_attn.{part}", shape) for part, shape in shapes.items())
        yield from ((f"model.layers.{layer}.mlp.{part}", shape) for part, shape in feed.items())


def base_weights():
    shapes = {f"{name}.weight": shape for name, shape in linears()} | {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "lm_head.weight": (VOCABULARY, HIDDEN)}
    weights = {name: numbers(name, shape, 0.3) for name, shape in shapes.items()}
    norms = ["model.norm.weight"] + [f"model.layers.{i}.{part}.weight" for i in range(LAYERS) for part in ("input_layernorm", "post_attention_layernorm")]
    return weights | {name: 1 + numbers(name, (HIDDEN,), 0.25) for name in norms}


def adapter_weights(weights, rank, targets, dora):
    adapter = {}
    for module, (outputs, inputs) in linears():
        if targets == "all-linear" or module.rsplit(".", 1)[1] in targets:
            prefix = f"base_model.model.{module}."
            adapter[prefix + "lora_A.weight"] = numbers(prefix + "lora_A.weight", (rank, inputs), 0.2)
            adapter[prefix + "lora_B.weight"] = numbers(prefix + "lora_B.weight", (outputs, rank), 0.2)
            if dora:
                adapter[prefix + "lora_magnitude_vector"] = 1 + numbers(prefix + "lora_magnitude_vector", (outputs,), 0.5)
    return adapter


# --- the model ------------------------------------------------------------------------------------------------------------------------


def norm(x, weight):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + EPSILON) * weight


def rotate(x):
    """x [T, heads, D]; pairs (i, i + D/2)."""
    half = SIZE // 2
    angles = torch.arange(x.shape[0]).double()[:, None] * THETA ** (-2.0 * torch.arange(half).double() / SIZE)
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def logits(weights, ids):
    x = weights["model.embed_tokens.weight"][ids]
    count = len(ids)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        h = norm(x, weights[name + "input_layernorm.weight"])
        q, k, v = (
            (h @ weights[f"{name}self_attn.{part}_proj.weight"].T).reshape(count, heads, SIZE) for part, heads in (("q", HEADS), ("k", KEYS), ("v", KEYS))
        )
        q, k = rotate(q), rotate(k)
        out = []
        for head in range(HEADS):
            group = head // (HEADS // KEYS)
            scores = q[:, head] @ k[:, group].T / math.sqrt(SIZE)
            scores = scores.masked_fill(torch.ones(count, count).triu(1).bool(), -math.inf)
            out.append(scores.softmax(-1) @ v[:, group])
        x = x + torch.stack(out, 1).reshape(count, -1) @ weights[name + "self_attn.o_proj.weight"].T
        h = norm(x, weights[name + "post_attention_layernorm.weight"])
        gate, up = h @ weights[name + "mlp.gate_proj.weight"].T, h @ weights[name + "mlp.up_proj.weight"].T
        x = x + (F.silu(gate) * up) @ weights[name + "mlp.down_proj.weight"].T
    return norm(x, weights["model.norm.weight"]) @ weights["lm_head.weight"].T


def merged(weights, adapter, scaling):
    result = dict(weights)
    for module, _ in linears():
        prefix = f"base_model.model.{module}."
        if prefix + "lora_A.weight" in adapter:
            weight = weights[f"{module}.weight"] + scaling * adapter[prefix + "lora_B.weight"] @ adapter[prefix + "lora_A.weight"]
            if prefix + "lora_magnitude_vector" in adapter:
                # The norm counts as a constant in the gradient (arXiv:2402.09353, section 4.3).
                weight = adapter[prefix + "lora_magnitude_vector"][:, None] * weight / weight.norm(dim=1, keepdim=True).detach()
            result[f"{module}.weight"] = weight
    return result


# --- rows: every byte is a token ------------------------------------------------------------------------------------------------------


def answer(prompt, completion, loss_on_all=False):
    head, tail = [BOS, *prompt.encode()], [*completion.encode(), EOS]
    return head + tail, [loss_on_all and i > 0 for i in range(len(head))] + [True] * len(tail)


def examples_of(row, case):
    """Token ids, and which of them are learned."""
    if "messages" in row:  # the template writes [role]content</s>
        ids, learned = [], []
        for message in row["messages"]:
            header, content = f"[{message['role']}]".encode(), [*message["content"].encode(), EOS]
            ids += [*header, *content]
            learned += [False] * len(header) + [message["role"] == "assistant" and message.get("weight", 1) == 1] * len(content)
        return [(ids, learned)]
    if "text" in row:  # longer ones in windows, each of which begins with the last token of the one before
        ids, length = [BOS, *row["text"].encode(), EOS], case["max_sequence_length"]
        return [(ids[at : at + length], [True] * len(ids[at : at + length])) for at in range(0, len(ids) - 1, length - 1)]
    if "chosen" in row:
        return [answer(row["prompt"], row["chosen"]), answer(row["prompt"], row["rejected"])]
    return [answer(row["prompt"], row["completion"], case["loss_on"] == "all")]


def log_probability(weights, example):
    """The sum over the learned tokens, and how many there are; the first token is never predicted."""
    ids, learned = example
    places = [i for i in range(1, len(ids)) if learned[i]]
    scores = logits(weights, ids)[[i - 1 for i in places]].log_softmax(-1)
    return scores[range(len(places)), [ids[i] for i in places]].sum(), len(places)


# --- a run: every step sees all rows --------------------------------------------------------------------------------------------------


def learning_rate(case, step):
    peak, warmup, steps = case["learning_rate"], case["warmup_steps"], case["steps"]
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return {"cosine": peak * (1 + math.cos(math.pi * progress)) / 2, "linear": peak * (1 - progress), "constant": peak}[case["decay"]]


def run(case, rows):
    weights = base_weights()
    lora = case.get("lora")
    adapter = adapter_weights(weights, lora["r"], lora["targets"], lora["dora"]) if lora else {}
    scaling = lora["alpha"] / (math.sqrt(lora["r"]) if lora["rslora"] else lora["r"]) if lora else 0.0
    learned = {name: value.requires_grad_() for name, value in (adapter if lora else weights).items()}
    groups = [
        {"params": [p for p in learned.values() if p.dim() >= 2], "weight_decay": case["weight_decay"]},
        {"params": [p for p in learned.values() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.999), eps=1e-8)
    examples = [examples_of(row, case) for row in rows]
    # Of the model that training begins with, its adapter included.
    reference = [[log_probability(merged(weights, adapter, scaling), e)[0].item() for e in pair] for pair in examples] if "beta" in case else None
    result = {"losses": [], "norms": [], "learning_rates": [], "margins": []}
    for step in range(case["steps"]):
        current = merged(weights, adapter, scaling)
        if reference:
            margins = []
            for pair, before in zip(examples, reference):
                chosen, rejected = (log_probability(current, e)[0] - r for e, r in zip(pair, before))
                margins.append(case["beta"] * (chosen - rejected))
            loss = torch.stack([-F.logsigmoid(m) for m in margins]).mean()
            result["margins"].append(torch.stack(margins).mean().item())
        else:
            sums, counts = zip(*(log_probability(current, e) for row in examples for e in row))
            loss = -torch.stack(sums).sum() / sum(counts)
        optimizer.zero_grad()
        loss.backward()
        gradient_norm = torch.nn.utils.clip_grad_norm_(list(learned.values()), case["max_gradient_norm"]).item()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(case, step)
        optimizer.step()
        result["losses"].append(loss.item())
        result["norms"].append(gradient_norm)
        result["learning_rates"].append(learning_rate(case, step))
    # Two numbers tell whether a tensor is the same: its length, and its product with numbers of our own.
    result["weights"] = {name: [p.norm().item(), (p * numbers("probe", p.shape, 1.0)).sum().item()] for name, p in learned.items()}
    return result


WORDS = ["ash", "birch", "cedar and fir", "elm", "hazel, oak", "pine", "rowan", "sloe"]
PROMPTS = [{"prompt": f"Tree {i * 5 % 9}{'?' * (i % 4)}", "completion": WORDS[i % 8] + "!" * (i * i % 5)} for i in range(12)]
CHATS = [
    {
        "messages": [
            {"role": "user", "content": f"Name {i}"},
            {"role": "assistant", "content": WORDS[i % 8], **({"weight": i % 2} if i % 3 else {})},
            {"role": "user", "content": "Another" + "." * (i % 3)},
            {"role": "assistant", "content": WORDS[(i + 3) % 8] + f" {i}"},
        ]
    }
    for i in range(12)
]
TEXTS = [{"text": " ".join(WORDS[(i + j) % 8] for j in range(1 + i % 6))} for i in range(12)]
PAIRS = [{"prompt": f"Tree {i}", "chosen": WORDS[i % 8], "rejected": WORDS[(i + 1) % 8] + "?" * (i % 3)} for i in range(12)]
USUAL = {"steps": 6, "learning_rate": 5e-3, "decay": "cosine", "warmup_steps": 0, "weight_decay": 0.0, "max_gradient_norm": 1.0, "max_sequence_length": 128, "loss_on": "completion"}
CASES = {
    "full, cosine after a warmup, decay of matrices, clipped": ("prompts", {"warmup_steps": 2, "weight_decay": 0.1, "max_gradient_norm": 0.5}),
    "full, loss on all tokens, linear, not clipped": ("prompts", {"loss_on": "all", "decay": "linear", "max_gradient_norm": 1e9}),
    "lora of two modules, rsLoRA, weighted messages, linear after a warmup": (
        "chats",
        {"decay": "linear", "warmup_steps": 3, "weight_decay": 0.05, "lora": {"r": 4, "alpha": 6, "rslora": True, "dora": False, "targets": ["q_proj", "down_proj"]}},
    ),
    "dora, texts in windows, constant": (
        "texts", {"decay": "constant", "max_sequence_length": 24, "lora": {"r": 3, "alpha": 5, "rslora": False, "dora": True, "targets": "all-linear"}},
    ),
    "lora of all, preferences": ("pairs", {"beta": 0.3, "warmup_steps": 1, "lora": {"r": 2, "alpha": 4, "rslora": False, "dora": False, "targets": "all-linear"}}),
    "dora and rsLoRA, preferences": ("pairs", {"beta": 0.1, "lora": {"r": 4, "alpha": 4, "rslora": True, "dora": True, "targets": ["v_proj", "up_proj"]}}),
    # Gradients of the prompt that both answers share nearly cancel, and Adam makes whole steps of what rounding leaves of them: small ones, then.
    "full, preferences": ("pairs", {"beta": 0.2, "decay": "linear", "learning_rate": 1e-4}),
}


def main():
    rows = {"prompts": PROMPTS, "chats": CHATS, "texts": TEXTS, "pairs": PAIRS}
    runs = {name: {"rows": of, "settings": USUAL | settings} for name, (of, settings) in CASES.items()}
    for one in runs.values():
        one["expected"] = run(one["settings"], rows[one["rows"]])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference_runs.json")
    with open(path, "w") as file:
        json.dump({"torch": torch.__version__.split("+")[0], "rows": rows, "runs": runs}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
