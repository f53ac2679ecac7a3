"""pixelgrad's networks in plain PyTorch. Weights have the same names, so a weight file fits as it is.

    model, metadata = load("edsr-x2.safetensors")
    save("tuned.safetensors", model, metadata)      # pixelgrad upscale -m tuned.safetensors
"""

from safetensors import safe_open
from safetensors.torch import save_file
import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, side, padding=None):
    """A convolution that keeps the picture's size, unless `padding` says otherwise."""
    return nn.Conv2d(inputs, outputs, side, padding=side // 2 if padding is None else padding)


def enlarge(x, scale):
    """Bicubic interpolation with Matlab's weights (a = -0.5); beyond the edges, the outermost pixels repeat."""
    wide = F.pad(x, [3, 3, 3, 3], mode="replicate")
    # With antialias, PyTorch takes those weights; where pictures become larger, it changes nothing else.
    y = F.interpolate(wide, scale_factor=scale, mode="bicubic", antialias=True)
    return y[..., 3 * scale : -3 * scale, 3 * scale : -3 * scale]


class SRCNN(nn.Module):
    """Takes luma that bicubic interpolation has enlarged."""

    colors, input_size = "y", "high"

    def __init__(self, scale, kernels, filters, padding, residual):
        super().__init__()
        self.scale, self.replicates, self.residual = scale, padding == "replicate", residual
        pad = 0 if self.replicates else None
        self.conv1 = conv(1, filters[0], kernels[0], pad)
        self.conv2 = conv(filters[0], filters[1], kernels[1], pad)
        self.conv3 = conv(filters[1], 1, kernels[2], pad)

    def layer(self, layer, x):
        margin = layer.kernel_size[0] // 2
        return layer(F.pad(x, [margin] * 4, mode="replicate") if self.replicates and margin else x)

    def forward(self, x):
        y = F.relu(self.layer(self.conv1, x))
        y = self.layer(self.conv3, F.relu(self.layer(self.conv2, y)))
        return x + y if self.residual else y


class ESPCN(nn.Module):
    colors, input_size = "y", "low"

    def __init__(self, scale, filters, activation, residual):
        super().__init__()
        self.scale, self.residual = scale, residual
        bend = nn.Tanh if activation == "tanh" else nn.ReLU
        self.first_part = nn.Sequential(conv(1, filters[0], 5), bend(), conv(filters[0], filters[1], 3), bend())
        self.last_part = nn.Sequential(conv(filters[1], scale**2, 3), nn.PixelShuffle(scale))

    def forward(self, x):
        y = self.last_part(self.first_part(x))
        return enlarge(x, self.scale) + y if self.residual else y


class FSRCNN(nn.Module):
    colors, input_size = "y", "low"

    def __init__(self, scale, d, s, m):
        super().__init__()
        self.scale = scale
        middle = [(d, s, 1)] + [(s, s, 3)] * m + [(s, d, 1)]
        self.first_part = nn.Sequential(conv(1, d, 5), nn.PReLU(d))
        self.mid_part = nn.Sequential(*(part for a, b, k in middle for part in (conv(a, b, k), nn.PReLU(b))))
        self.last_part = nn.ConvTranspose2d(d, 1, 9, stride=scale, padding=4, output_padding=scale - 1)

    def forward(self, x):
        return self.last_part(self.mid_part(self.first_part(x)))


class ResBlock(nn.Module):
    def __init__(self, channels, res_scale):
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels, 3), nn.ReLU(), conv(channels, channels, 3))
        self.res_scale = res_scale

    def forward(self, x):
        return x + self.res_scale * self.body(x)


class EDSR(nn.Module):
    colors, input_size = "rgb", "low"

    def __init__(self, scale, blocks, channels, resScale, rgbRange):
        super().__init__()
        self.scale, self.range = scale, rgbRange
        # The mean colour is a layer, as in the authors' code, and not trained.
        self.sub_mean = nn.Conv2d(3, 3, 1).requires_grad_(False)
        self.add_mean = nn.Conv2d(3, 3, 1).requires_grad_(False)
        self.head = nn.Sequential(conv(3, channels, 3))
        self.body = nn.Sequential(
            *(ResBlock(channels, resScale) for _ in range(blocks)), conv(channels, channels, 3)
        )
        steps = [3] if scale == 3 else [2] * (scale.bit_length() - 1)
        up = (part for r in steps for part in (conv(channels, channels * r * r, 3), nn.PixelShuffle(r)))
        self.tail = nn.Sequential(nn.Sequential(*up), conv(channels, 3, 3))

    def forward(self, x):
        features = self.head(self.sub_mean(x * self.range))
        return self.add_mean(self.tail(features + self.body(features))) / self.range


networks = {"SRCNN": SRCNN, "ESPCN": ESPCN, "FSRCNN": FSRCNN, "EDSR": EDSR}


def option(name, text):
    """The value of a network's option, which files hold as a text."""
    if name in ("kernels", "filters"):
        return [int(number) for number in text.split("-")]
    if text in ("true", "false"):
        return text == "true"
    if name in ("activation", "padding"):
        return text
    return float(text) if name in ("resScale", "rgbRange") else int(text)


def build(metadata):
    """The network that a weight file's metadata describe, with random weights."""
    network = networks[metadata["architecture"]]
    count = network.__init__.__code__.co_argcount
    names = network.__init__.__code__.co_varnames[1:count]
    return network(**{name: option(name, metadata[name]) for name in names})


def load(path):
    """The network of a safetensors file, and the file's metadata. Other files: `pixelgrad convert` them first."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    model = build(metadata)
    model.load_state_dict(state)
    return model, metadata


def save(path, model, metadata):
    """A safetensors file that pixelgrad reads."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, path, metadata=metadata)
