"""Weight files as PyTorch writes them, small ones, for the tests of src/weights/pytorch-file.ts.

Each comes with a safetensors file of the same name, which holds what must be read out of it. README.md says
how to run this. Files of one version of PyTorch are alike, byte for byte.
"""

import argparse
from collections import Counter, OrderedDict, defaultdict, deque
import datetime
from pathlib import Path
import sys
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.torch import save_file

here = Path(__file__).parent


def values(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def save(name, thing, expected, **options):
    """`expected`: the tensors by name, as they must be read."""
    torch.save(thing, here / f"{name}.pth", **options)
    tensors = {key: tensor.detach().float().contiguous().clone() for key, tensor in expected.items()}
    save_file(tensors, here / f"{name}.safetensors")


def types():
    """Every type of number that is read."""
    integers = torch.tensor([[-3, 0, 7], [100, -128, 127]])
    state = OrderedDict(
        f32=values(1, 2, 3),
        f16=values(2, 2, 3).half(),
        bf16=values(3, 2, 3).bfloat16(),
        f64=values(4, 2, 3).double(),
        i64=integers * 1000,
        i32=integers.int(),
        i16=integers.short(),
        i8=integers.char(),
        u8=(integers + 128).byte(),
        u16=torch.tensor([0, 1, 2**16 - 1], dtype=torch.uint16),
        u32=torch.tensor([0, 1, 2**32 - 1], dtype=torch.uint32),
        u64=torch.tensor([0, 1, 2**63], dtype=torch.uint64),
        bool=integers > 0,
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        special=torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0, 1e-42]),
    )
    return state, state


def layouts():
    """Tensors that are parts and views of others."""
    whole = values(5, 4, 6)
    weight = torch.nn.Parameter(values(6, 3, 2))
    state = {
        "whole": whole,
        "part": whole[1:3, 2:5],
        "transposed": whole.t(),
        "stepped": whole[::2, ::3],
        "expanded": values(7, 1, 3).expand(4, 3),
        "channels_last": values(8, 2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
        "tied": whole,
        "parameter": weight,
        "same parameter": weight,
    }
    return state, state


def wrapped():
    """As BasicSR and others save: the averaged weights beside the plain ones, and other things besides."""
    ema = {"conv.weight": values(9, 2, 2), "conv.bias": values(10, 2)}
    others = {"conv.weight": values(11, 2, 2), "conv.bias": values(12, 2)}
    thing = {
        "epoch": 3,
        "name": "größer",
        "best": {"psnr": 31.25, "steps": [1, 2, 3], "big": 2**70, "none": None},
        "size": torch.Size([2, 3]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "params": others,
        "params_ema": ema,
    }
    return thing, ema


def companions():
    """Things of other classes, which training programs save beside the weights."""
    weights = {"conv.weight": values(30, 2, 2), "conv.bias": torch.nn.Buffer(values(31, 2))}
    history = defaultdict(list)
    history["psnr"].append(np.float32(31.5))
    thing = {
        "best": np.float64(31.25),
        "random state": np.arange(5),
        "args": argparse.Namespace(lr=1e-4, name="net"),
        "options": SimpleNamespace(a=1),
        "path": Path("a") / "b",
        "time": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),
        "took": datetime.timedelta(seconds=3),
        "history": history,
        "last": deque([1.0, 2.0]),
        "counts": Counter("aab"),
        "names": {"a", "b"},
        "frozen": frozenset([1]),
        "bytes": bytearray(b"abc"),
        "complex": 1 + 2j,
        "model": weights,
    }
    return thing, weights


def module():
    """A module's own dictionary, with a layer that counts, wrapped for several devices."""
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.PReLU(2))
    for i, tensor in enumerate(net.state_dict().values()):
        if tensor.is_floating_point():
            tensor.copy_(values(20 + i, *tensor.shape))
    state = OrderedDict((f"module.{key}", tensor) for key, tensor in net.state_dict().items())
    return {"state_dict": state, "optimizer": torch.optim.Adam(net.parameters()).state_dict()}, state


for case in [types, layouts, wrapped, companions, module]:
    thing, expected = case()
    save(case.__name__, thing, expected)
    save(f"{case.__name__}-stream", thing, expected, _use_new_zipfile_serialization=False)
# In their own types, where all others are float32.
save_file(types()[0], here / "types-native.safetensors")
# Python's newest protocol has instructions of its own.
thing, expected = wrapped()
save("wrapped-protocol-5", thing, expected, pickle_protocol=5)
print(f"Python {sys.version.split()[0]}, PyTorch {torch.__version__}")
