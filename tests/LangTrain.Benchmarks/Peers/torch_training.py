"""The peer of the training benchmark: plain PyTorch, eager, fp32, written the way most trainers are.

It reads the same model folder, adapter and tokens as LangTrain's side, so that losses can be compared step by step.
Started by the benchmark, one line of JSON in and one out:

    python3 torch_training.py MODEL_FOLDER ADAPTER_FOLDER|full TOKENS ROWS LENGTH THREADS
    {"steps": 5}  ->  {"seconds": [...], "losses": [...], "processor_seconds": ...}
    {"steps": 0}  ->  {"peak_bytes": ..., "version": "..."}, and it ends

Needs torch only. TOKENS is int32, little-endian: ROWS * LENGTH ids for each batch; batches are used in turn.
"""

import json
import math
import resource
import struct
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["dtype"] == "F32", entry["dtype"]
            start, end = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start).reshape(entry["shape"]).clone()
    return tensors


class RmsNorm(nn.Module):
    def __init__(self, weight, epsilon):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(weight), epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


class Linear(nn.Module):
    """A linear layer, with a low-rank update beside it where the adapter has one."""

    def __init__(self, name, weights, adapter, scaling):
        super().__init__()
        self.weight, self.scaling = nn.Parameter(weights[f"{name}.weight"]), scaling
        a = adapter.get(f"base_model.model.{name}.lora_A.weight")
        self.lora_a = None if a is None else nn.Parameter(a)
        self.lora_b = None if a is None else nn.Parameter(adapter[f"base_model.model.{name}.lora_B.weight"])

    def forward(self, x):
        y = F.linear(x, self.weight)
        return y if self.lora_a is None else y + F.linear(F.linear(x, self.lora_a), self.lora_b) * self.scaling


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self, name, config, weights, adapter, scaling):
        super().__init__()
        self.heads, self.groups = config["num_attention_heads"], config["num_key_value_heads"]
        epsilon = config["rms_norm_eps"]
        self.input_norm = RmsNorm(weights[f"{name}.input_layernorm.weight"], epsilon)
        self.post_norm = RmsNorm(weights[f"{name}.post_attention_layernorm.weight"], epsilon)
        for part in "q_proj", "k_proj", "v_proj", "o_proj":
            setattr(self, part, Linear(f"{name}.self_attn.{part}", weights, adapter, scaling))
        for part in "gate_proj", "up_proj", "down_proj":
            setattr(self, part, Linear(f"{name}.mlp.{part}", weights, adapter, scaling))

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        h = self.input_norm(x)
        q = self.q_proj(h).view(batch, length, self.heads, -1).transpose(1, 2)
        k = self.k_proj(h).view(batch, length, self.groups, -1).transpose(1, 2)
        v = self.v_proj(h).view(batch, length, self.groups, -1).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.groups)
        x = x + self.o_proj(attended.transpose(1, 2).reshape(batch, length, width))
        h = self.post_norm(x)
        return x + self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h))


class Llama(nn.Module):
    def __init__(self, config, weights, adapter, scaling):
        super().__init__()
        self.embedding = nn.Parameter(weights["model.embed_tokens.weight"])
        self.head = self.embedding if config["tie_word_embeddings"] else nn.Parameter(weights["lm_head.weight"])
        self.layers = nn.ModuleList(Layer(f"model.layers.{i}", config, weights, adapter, scaling) for i in range(config["num_hidden_layers"]))
        self.norm = RmsNorm(weights["model.norm.weight"], config["rms_norm_eps"])
        self.head_size, self.theta = config["hidden_size"] // config["num_attention_heads"], config["rope_theta"]

    def forward(self, ids):
        frequencies = self.theta ** (-torch.arange(0, self.head_size, 2).float() / self.head_size)
        angles = torch.outer(torch.arange(ids.shape[1]).float(), frequencies).repeat(1, 2)
        cos, sin = angles.cos(), angles.sin()
        x = F.embedding(ids, self.embedding)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), self.head)


def answer(version, learning, loss_of, tokens_path, rows, length):
    """Trains as the lines of standard input say, until one asks for the end.

    version: what is told of the libraries. learning: the parameters. loss_of: [B, T] ids to the mean loss of every token but each row's first.
    """
    optimizer = torch.optim.AdamW(learning, lr=1e-4, weight_decay=0.0)
    with open(tokens_path, "rb") as file:
        batches = torch.frombuffer(bytearray(file.read()), dtype=torch.int32).reshape(-1, rows, length).long()

    step = 0
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        if steps == 0:
            print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "version": version}), flush=True)
            return
        seconds, losses, processor = [], [], time.process_time()
        for _ in range(steps):
            start = time.perf_counter()
            loss = loss_of(batches[step % len(batches)])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            seconds.append(time.perf_counter() - start)
            step += 1
        assert all(map(math.isfinite, losses)), losses
        print(json.dumps({"seconds": seconds, "losses": losses, "processor_seconds": time.process_time() - processor}), flush=True)


def main():
    folder, adapter_folder, tokens_path, rows, length, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    adapter, scaling = {}, 1.0
    if adapter_folder != "full":
        adapter = read_safetensors(f"{adapter_folder}/adapter_model.safetensors")
        with open(f"{adapter_folder}/adapter_config.json") as file:
            settings = json.load(file)
        scaling = settings["lora_alpha"] / settings["r"]
    model = Llama(config, read_safetensors(f"{folder}/model.safetensors"), adapter, scaling)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = adapter_folder == "full" or "lora_" in name
    learning = [p for p in model.parameters() if p.requires_grad]

    def loss_of(ids):
        targets = F.pad(ids[:, 1:], (0, 1), value=-100)  # the last token of a row has nothing to predict
        logits = model(ids)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)

    answer(torch.__version__, learning, loss_of, tokens_path, int(rows), int(length))


if __name__ == "__main__":
    main()
