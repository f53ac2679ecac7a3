"""Writes the networks of this folder as ncnn has them, and what PyTorch makes of a picture with each.

    pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0 spandrel==0.4.2 pnnx==20261020
    python make.py

`half` networks have weights that float16 holds exactly, so that both programs compute with the same ones.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pnnx
import torch
from safetensors.torch import save_file
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
from spandrel.architectures.ESRGAN.__arch import RRDB as rrdb
from spandrel.architectures.SPAN.__arch.span import SPAN

HERE = Path(__file__).parent.resolve()


def compact(scale: int, activation: str) -> torch.nn.Module:
    return SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=6, num_conv=2, upscale=scale, act_type=activation)


def span(scale: int, norm: bool) -> torch.nn.Module:
    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=4, upscale=scale, norm=norm)


def rrdbnet(unshuffle: int) -> torch.nn.Module:
    """Real-ESRGAN's network for x4, x2 and x1, with 2 channels for each convolution of a dense block instead of 32."""
    block = rrdb.B.RRDB
    rrdb.B.RRDB = lambda *args, **options: block(*args, **{**options, "gc": 2})
    model = rrdb.RRDBNet(
        in_nc=3 * unshuffle**2,
        out_nc=3,
        num_filters=4,
        num_blocks=2,
        scale=4,
        shuffle_factor=unshuffle if unshuffle > 1 else None,
    )
    rrdb.B.RRDB = block
    return model


networks = {
    "compact-prelu-x2": lambda: compact(2, "prelu"),
    "compact-prelu-x4-half": lambda: compact(4, "prelu"),
    "compact-leaky-x3": lambda: compact(3, "leakyrelu"),
    "compact-relu-x1": lambda: compact(1, "relu"),
    "span-x2": lambda: span(2, False),
    "span-normalized-x4": lambda: span(4, True),
    "rrdbnet-x4": lambda: rrdbnet(1),
    "rrdbnet-x2": lambda: rrdbnet(2),
    "rrdbnet-x1-half": lambda: rrdbnet(4),
}

tensors = {}
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for seed, (name, make) in enumerate(networks.items()):
        torch.manual_seed(seed)
        model = make().eval()
        half = name.endswith("half")
        if half:
            for parameter in model.parameters():
                parameter.data = parameter.data.half().float()
        x = torch.rand(1, 3, 9, 7)
        with torch.no_grad():
            # The first call folds SPAN's branches, in float32.
            model(x)
            y = model(x)
            pnnx.export(model, "network.pt", torch.rand(1, 3, 16, 16), fp16=half)
        tensors |= {f"{name}/x": x, f"{name}/y": y.contiguous()}
        for part in ("param", "bin"):
            shutil.move(f"network.ncnn.{part}", HERE / f"{name}.{part}")
save_file(tensors, HERE / "outputs.safetensors")
(HERE / "outputs.safetensors").chmod(0o644)
