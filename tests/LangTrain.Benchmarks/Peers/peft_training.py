"""The other peer of the training benchmark: Hugging Face transformers and PEFT, eager, fp32, as most people train with them.

Arguments, protocol and step are those of torch_training.py beside it; only where the model comes from differs. Needs torch, transformers and, unless the
method is full, peft.
"""

import sys

import torch
import transformers
from torch_training import answer


def main():
    folder, adapter_folder, tokens_path, rows, length, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    version = f"transformers {transformers.__version__}, torch {torch.__version__}"
    if adapter_folder != "full":
        import peft

        model = peft.PeftModel.from_pretrained(model, adapter_folder, is_trainable=True)
        version += f", peft {peft.__version__}"
    model.train()
    learning = [p for p in model.parameters() if p.requires_grad]
    answer(version, learning, lambda ids: model(input_ids=ids, labels=ids).loss, tokens_path, int(rows), int(length))


if __name__ == "__main__":
    main()
