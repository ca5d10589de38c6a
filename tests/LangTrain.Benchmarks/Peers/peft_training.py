"""The other peer of the training benchmark: Hugging Face transformers and PEFT, eager, fp32, as most people train with them.

Arguments, protocol and step are those of torch_training.py beside it; only where the model comes from differs. Needs torch, transformers and, unless the
method is full, peft.
"""

import json
import math
import resource
import sys
import time

import torch
import transformers


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
    optimizer = torch.optim.AdamW(learning, lr=1e-4, weight_decay=0.0)
    with open(tokens_path, "rb") as file:
        batches = torch.frombuffer(bytearray(file.read()), dtype=torch.int32).reshape(-1, int(rows), int(length)).long()

    step = 0
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        if steps == 0:
            print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "version": version}), flush=True)
            return
        seconds, losses, processor = [], [], time.process_time()
        for _ in range(steps):
            start = time.perf_counter()
            ids = batches[step % len(batches)]
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            seconds.append(time.perf_counter() - start)
            step += 1
        assert all(map(math.isfinite, losses)), losses
        print(json.dumps({"seconds": seconds, "losses": losses, "processor_seconds": time.process_time() - processor}), flush=True)


if __name__ == "__main__":
    main()
