"""Makes the folders peft_* beside this file with Hugging Face PEFT: adapters in every form that it writes, over the models beside them.

    python3 make_peft_references.py .   (made with PEFT 0.20.1.dev0, transformers 5.12.1, torch 2.14.1)

golden.json holds ids and the float64 logits of the model with the adapter, and two short trainings of transformers and PEFT, by autograd, one example at a
time, with torch.optim.AdamW: of the adapter from where it is stored, and of all weights. Adapters are random, rounded to bfloat16.
"""

import json
import os
import random
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

FOLDER = sys.argv[1]
ALL = "all-linear"
CASES = {
    "llama31": dict(target_modules=ALL, exclude_modules=["gate_proj"], bias="all"),
    "hf_llama_yarn_scales": dict(target_modules=r".*\.1\.(mlp|self_attn)\.(q_proj|down_proj)", use_dora=True),
    "mistral": dict(target_modules=["q_proj", "v_proj"], layers_to_transform=[0, 2], use_rslora=True),
    "qwen2": dict(target_modules=ALL, rank_pattern={"k_proj": 2, r"layers\.1\.mlp\..*": 6}, alpha_pattern={"^model.layers.0.self_attn.q_proj": 9}),
    "hf_qwen3_window": dict(target_modules=ALL, use_dora=True, use_rslora=True, rank_pattern={"q_proj": 2}, alpha_pattern={"mlp.up_proj": 3}),
    "gemma2": dict(target_modules=ALL),
    "gemma3_text": dict(target_modules=ALL, use_dora=True),
    "phi3": dict(target_modules=["qkv_proj", "layers.1.mlp.gate_up_proj"], bias="lora_only"),
    "hf_phi3_long": dict(target_modules=ALL),
    "hf_smollm3": dict(target_modules=ALL),
    "hf_granite": dict(target_modules=["o_proj", "down_proj"]),
    "hf_olmo2": dict(target_modules=ALL),
    "gpt2": dict(target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True),
    "hf_gpt2_scales": dict(target_modules=ALL, fan_in_fan_out=True, use_dora=True),
}
STEPS, RATE, DECAY, CLIP = 4, 1e-2, 0.1, 0.5


def load(base):
    return AutoModelForCausalLM.from_pretrained(os.path.join(FOLDER, base), dtype=torch.float64, attn_implementation="eager", pad_token_id=0)


def train(model, rows):
    """Losses and gradient norms of steps that each see all rows; matrices decay, vectors do not."""
    model.eval()  # no dropout: that of GPT-2 belongs to its pre-training
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [{"params": [p for p in learning if (p.dim() >= 2) == decays], "weight_decay": DECAY if decays else 0.0} for decays in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    losses, norms = [], []
    for _ in range(STEPS):
        total, count = 0, 0
        for ids, first in rows:
            scores = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].log_softmax(-1)
            places = range(first, len(ids))
            total = total - scores[[i - 1 for i in places], [ids[i] for i in places]].sum()
            count += len(places)
        loss = total / count
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(learning, CLIP)))
        losses.append(float(loss))
        optimizer.step()
    return {"losses": losses, "norms": norms}


for base, settings in CASES.items():
    torch.manual_seed(sum(map(ord, base)))
    folder = os.path.join(FOLDER, f"peft_{base}")
    made = get_peft_model(load(base).float(), LoraConfig(r=4, lora_alpha=6, task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.1)
            elif "magnitude" in name:
                parameter.mul_(1 + 0.1 * torch.randn_like(parameter))
    made.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    weights = os.path.join(folder, "adapter_model.safetensors")
    save_file({name: value.bfloat16() for name, value in load_file(weights).items()}, weights)
    config = os.path.join(folder, "adapter_config.json")
    with open(config) as file:
        settings = json.load(file) | {"base_model_name_or_path": base}
    with open(config, "w") as file:
        json.dump(settings, file, indent=1)
        file.write("\n")

    chance = random.Random(base)
    rows = [([chance.randrange(3, 40) for _ in range(length)], chance.randrange(1, length)) for length in (3, 12, 7, 10, 14, 5)]
    ids = rows[4][0]
    adapted = PeftModel.from_pretrained(load(base), folder, is_trainable=True).double().eval()
    with torch.no_grad():
        logits = adapted(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    with open(os.path.join(folder, "golden.json"), "w") as file:
        json.dump(
            {
                "ids": ids, "logits": [[float(f"{value:.8g}") for value in row] for row in logits.tolist()],
                "rows": [{"ids": ids, "first": first} for ids, first in rows], "learning_rate": RATE, "weight_decay": DECAY, "max_gradient_norm": CLIP,
                "adapter": train(adapted, rows), "full": train(load(base), rows),
            },
            file,
        )
