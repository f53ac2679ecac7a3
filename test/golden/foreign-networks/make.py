"""Small networks in the layouts that other programs give them, for the tests of src/models/detect.ts.

Each weight file comes with a safetensors file of the same name: a picture with values in 0..1, `input`, and
what the program makes of it, `output`, computed in float64. ../README.md says how to run this.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
from spandrel.architectures.ESRGAN.__arch import RRDB as rrdb
from spandrel.architectures.SPAN.__arch.span import SPAN
from torch import nn
from torch.nn import functional as F

here = Path(__file__).parent
MEAN = torch.tensor([0.4488, 0.4371, 0.4040], dtype=torch.float64)
CHANNELS, BLOCKS = 4, 2


def weights(name, shapes, gain=1.0):
    """Random tensors. Convolutions keep the size of their input, by and large."""
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    state = OrderedDict()
    for key, shape in shapes.items():
        fan = max(1, int(torch.tensor(shape[1:]).prod())) if len(shape) > 1 else 1
        scale = gain / fan**0.5 if len(shape) > 1 else 0.1
        state[key] = torch.randn(shape, generator=generator) * scale
    return state


def conv_shapes(name, inputs, outputs, side):
    return {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}


class Net:
    """A state dict, with the layers that use it."""

    def __init__(self, state):
        self.state = {key: value.double() for key, value in state.items()}

    def conv(self, name, x):
        weight = self.state[f"{name}.weight"]
        return F.conv2d(x, weight, self.state[f"{name}.bias"], padding=weight.shape[-1] // 2)


def edsr_names(style):
    """What the programs call EDSR's layers: the first, block i's two, the last of the body, the rest."""
    if style == "basicsr":
        return dict(
            head="conv_first", block="body.{}.conv{}", inner=("1", "2"), end="conv_after_body",
            up="upsample.{}", last="conv_last",
        )
    return dict(
        head="head.0", block="body.{}.body.{}", inner=("0", "2"), end=f"body.{BLOCKS}", up="tail.0.{}",
        last="tail.1",
    )


def edsr_state(name, style, scale):
    n = edsr_names(style)
    shapes = conv_shapes(n["head"], 3, CHANNELS, 3)
    for i in range(BLOCKS):
        for k in n["inner"]:
            shapes |= conv_shapes(n["block"].format(i, k), CHANNELS, CHANNELS, 3)
    shapes |= conv_shapes(n["end"], CHANNELS, CHANNELS, 3)
    for step in [0] if scale == 3 else range(0, 2 * (scale.bit_length() - 1), 2):
        factor = 9 if scale == 3 else 4
        shapes |= conv_shapes(n["up"].format(step), CHANNELS, CHANNELS * factor, 3)
    return weights(name, shapes | conv_shapes(n["last"], CHANNELS, 3, 3))


def edsr(state, style, scale, x, res_scale=1.0):
    net, n = Net(state), edsr_names(style)
    features = net.conv(n["head"], x)
    y = features
    for i in range(BLOCKS):
        first, second = (n["block"].format(i, k) for k in n["inner"])
        y = y + res_scale * net.conv(second, F.relu(net.conv(first, y)))
    y = features + net.conv(n["end"], y)
    for step in [0] if scale == 3 else range(0, 2 * (scale.bit_length() - 1), 2):
        y = F.pixel_shuffle(net.conv(n["up"].format(step), y), 3 if scale == 3 else 2)
    return net.conv(n["last"], y)


def shifts(range_):
    """The two layers of EDSR-PyTorch that subtract and add the mean colour."""
    identity = torch.eye(3).reshape(3, 3, 1, 1)
    bias = (range_ * MEAN).float()
    return OrderedDict(
        {"sub_mean.weight": identity, "sub_mean.bias": -bias, "add_mean.weight": identity, "add_mean.bias": bias}
    )


def save(name, thing, x, y):
    torch.save(thing, here / name)
    tensors = {"input": x.float().contiguous(), "output": y.float().contiguous()}
    save_file(tensors, here / f"{name}.safetensors")


def picture(channels):
    x = torch.rand(1, channels, 9, 7, generator=torch.Generator().manual_seed(channels))
    return x.double()


def main():
    mean = MEAN.reshape(1, 3, 1, 1)
    x = picture(3)
    for scale in [2, 3, 4]:
        # Values 0..255, less the mean: EDSR-PyTorch and torchSR.
        name = f"edsr-pytorch-x{scale}.pt"
        state = edsr_state(name, "edsr-pytorch", scale)
        stored = (255 * MEAN).float().double().reshape(1, 3, 1, 1)
        y = (edsr(state, "edsr-pytorch", scale, 255 * x - stored) + stored) / 255
        save(name, shifts(255) | state, x, y)
        # BasicSR: the same with the mean in the program, and two sets of weights in the file.
        name = f"edsr-basicsr-x{scale}.pth"
        state = edsr_state(name, "basicsr", scale)
        y = edsr(state, "basicsr", scale, 255 * (x - mean)) / 255 + mean
        save(name, {"params": edsr_state("other", "basicsr", scale), "params_ema": state}, x, y)
    # Values 0..1, less the mean.
    state = edsr_state("edsr-range-1", "edsr-pytorch", 2)
    stored = MEAN.float().double().reshape(1, 3, 1, 1)
    y = edsr(state, "edsr-pytorch", 2, x - stored) + stored
    wrapped = OrderedDict((f"module.{key}", value) for key, value in (shifts(1) | state).items())
    save("edsr-range-1-module.pth", {"epoch": 3, "state_dict": wrapped}, x, y)
    # super-image: the mean is in the file, and its program does not use it.
    name = "pytorch_model_2x.pt"
    state = edsr_state(name, "edsr-pytorch", 2)
    save(name, shifts(255) | state, x, edsr(state, "edsr-pytorch", 2, x))

    x = picture(1)
    state = weights(
        "srcnn", conv_shapes("conv1", 1, 6, 9) | conv_shapes("conv2", 6, 4, 5) | conv_shapes("conv3", 4, 1, 5)
    )
    net = Net(state)
    y = net.conv("conv3", F.relu(net.conv("conv2", F.relu(net.conv("conv1", x)))))
    save("srcnn_x3.pth", state, x, y)

    state = weights(
        "espcn",
        conv_shapes("first_part.0", 1, 6, 5)
        | conv_shapes("first_part.2", 6, 4, 3)
        | conv_shapes("last_part.0", 4, 9, 3),
    )
    net = Net(state)
    y = torch.tanh(net.conv("first_part.2", torch.tanh(net.conv("first_part.0", x))))
    save("espcn.pth", state, x, F.pixel_shuffle(net.conv("last_part.0", y), 3))

    d, s, m = 6, 3, 2
    shapes = conv_shapes("first_part.0", 1, d, 5) | {"first_part.1.weight": (d,)}
    middle = [(d, s, 1)] + [(s, s, 3)] * m + [(s, d, 1)]
    for i, (inputs, outputs, side) in enumerate(middle):
        shapes |= conv_shapes(f"mid_part.{2 * i}", inputs, outputs, side)
        shapes |= {f"mid_part.{2 * i + 1}.weight": (outputs,)}
    shapes |= {"last_part.weight": (d, 1, 9, 9), "last_part.bias": (1,)}
    state = weights("fsrcnn", shapes)
    net = Net(state)
    y = F.prelu(net.conv("first_part.0", x), net.state["first_part.1.weight"])
    for i in range(len(middle)):
        y = F.prelu(net.conv(f"mid_part.{2 * i}", y), net.state[f"mid_part.{2 * i + 1}.weight"])
    for scale in [2, 3]:
        last = F.conv_transpose2d(
            y, net.state["last_part.weight"], net.state["last_part.bias"], stride=scale, padding=4,
            output_padding=scale - 1,
        )
        save(f"fsrcnn_x{scale}.pth", state, x, last)

    spandrel_networks()


def spandrel_networks():
    """The three architectures that most exchanged models have, as their programs save them."""
    x = picture(3)
    block = rrdb.B.RRDB  # with 2 channels for each convolution of a dense block instead of 32
    rrdb.B.RRDB = lambda *args, **options: block(*args, **{**options, "gc": 2})
    torch.manual_seed(1)
    esrgan = rrdb.RRDBNet(in_nc=3, out_nc=3, num_filters=4, num_blocks=2, scale=4)
    compact = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=6, num_conv=2, upscale=2, act_type="prelu")
    span = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=4, upscale=3, norm=True)
    for name, model, wrap in (
        ("4x-esrgan.pth", esrgan, lambda state: state),
        ("2x-compact-half.pth", compact.half(), lambda state: {"params": state}),
        ("3x-span.pth", span, lambda state: {"params_ema": state}),
    ):
        state = OrderedDict((key, value.clone()) for key, value in model.state_dict().items())
        y = model.double().eval()(x)
        save(name, wrap(state), x, y.detach())


main()
