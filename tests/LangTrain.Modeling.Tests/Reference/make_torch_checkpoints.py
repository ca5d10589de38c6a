"""PyTorch checkpoints as torch itself writes them, and some that must be refused; run with the folder to write to.

python3 make_torch_checkpoints.py torch   (made with torch 2.14.1)

Every tensor's elements are 0, 1, 2, ... in row-major order divided by 8, so that a reader needs no copy of them.
"""
import collections
import os
import pickle
import sys
import zipfile

import torch

folder = sys.argv[1]


def counted(shape, dtype):
    count = 1
    for size in shape:
        count *= size
    values = torch.arange(count, dtype=torch.float64).reshape(shape)
    return (values / 8 if dtype.is_floating_point else values % 2 if dtype == torch.bool else values).to(dtype)


def state():
    tensors = collections.OrderedDict()
    for name in "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split():
        tensors["plain." + name] = counted((2, 3), getattr(torch, name))
    tensors["scalar"] = torch.tensor(0.0)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["transposed"] = counted((4, 3), torch.float32).t().contiguous().t()
    shared = counted((5, 4), torch.float32)
    tensors["embedding"] = shared
    tensors["tied"] = shared
    tensors["parameter"] = torch.nn.Parameter(counted((3,), torch.float32))
    long = torch.cat([torch.full((7,), -1.0), counted((6,), torch.float32)])
    tensors["slice"] = long[7:].view(2, 3)
    return tensors


module_state = torch.nn.Linear(3, 2).state_dict()  # carries _metadata, as every model's does
with torch.no_grad():
    module_state["weight"].copy_(counted((2, 3), torch.float32))
    module_state["bias"].copy_(counted((2,), torch.float32))
torch.save(state(), os.path.join(folder, "zip.bin"))
torch.save(state(), os.path.join(folder, "protocol4.bin"), pickle_protocol=4)
torch.save(state(), os.path.join(folder, "old.bin"), _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "lr": 0.5, "state_dict": module_state}, os.path.join(folder, "nested.bin"))
torch.save({"w": torch.zeros(4, dtype=torch.float8_e4m3fn)}, os.path.join(folder, "float8.bin"))
torch.save({"w": torch._neg_view(torch.ones(4))}, os.path.join(folder, "negative.bin"))


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/langtrain-was-here",)


torch.save({"w": torch.zeros(2), "x": Evil()}, os.path.join(folder, "evil.bin"))
with open(os.path.join(folder, "evil-plain.bin"), "wb") as file:
    pickle.dump(Evil(), file, protocol=2)
