"""Makes nf4/bitsandbytes.safetensors: weights, and what bitsandbytes' NF4 with double quantization makes of them.

    python3 make_nf4_reference.py .   (made with bitsandbytes 0.50.2.dev0, torch 2.14.1, on the CPU)

Shapes in which neither pairs, nor blocks of 64, nor groups of 256 blocks come out even, rows of very different size, and blocks of zeros.
"""

import os
import sys

import bitsandbytes.functional as F
import torch
from safetensors.torch import save_file

torch.manual_seed(1)
weights = {
    "odd": torch.randn(130, 129) * 0.02,
    "heavy": torch.randn(33, 65) * torch.exp(torch.randn(33, 1) * 2),
    "zeros": torch.cat([torch.zeros(3, 64), torch.randn(5, 64) * 1e-3]),
}
tensors = {}
for name, weight in weights.items():
    weight = weight.bfloat16()
    codes, state = F.quantize_4bit(weight.float(), blocksize=64, quant_type="nf4", compress_statistics=True)
    tensors[name] = weight
    tensors[name + ".dequantized"] = F.dequantize_4bit(codes, state).float().contiguous()
os.makedirs(os.path.join(sys.argv[1], "nf4"), exist_ok=True)
save_file(tensors, os.path.join(sys.argv[1], "nf4", "bitsandbytes.safetensors"))
