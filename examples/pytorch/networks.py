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


MARKERS = ("residual", "replicate", "relu", "no_norm")


def mark(network, **markers):
    """Buffers that say by being there how a network computes, in files whose metadata another program has dropped."""
    for name, is_there in markers.items():
        if is_there:
            network.register_buffer(name, torch.zeros(1))


class SRCNN(nn.Module):
    """Takes luma that bicubic interpolation has enlarged."""

    colors, input_size = "y", "high"

    def __init__(self, scale, kernels, filters, padding, residual):
        super().__init__()
        self.scale, self.replicates, self.is_residual = scale, padding == "replicate", residual
        mark(self, residual=residual, replicate=residual and self.replicates)
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
        return x + y if self.is_residual else y


class ESPCN(nn.Module):
    colors, input_size = "y", "low"

    def __init__(self, scale, filters, activation, residual):
        super().__init__()
        self.scale, self.is_residual = scale, residual
        mark(self, residual=residual, relu=activation == "relu")
        bend = nn.Tanh if activation == "tanh" else nn.ReLU
        self.first_part = nn.Sequential(conv(1, filters[0], 5), bend(), conv(filters[0], filters[1], 3), bend())
        self.last_part = nn.Sequential(conv(filters[1], scale**2, 3), nn.PixelShuffle(scale))

    def forward(self, x):
        y = self.last_part(self.first_part(x))
        return enlarge(x, self.scale) + y if self.is_residual else y


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


class Compact(nn.Module):
    input_size = "low"

    def __init__(self, scale, layers, channels, activation, colors):
        super().__init__()
        self.scale, self.colors = scale, colors
        planes = 3 if colors == "rgb" else 1
        bends = {"prelu": lambda: nn.PReLU(channels), "leakyRelu": lambda: nn.LeakyReLU(0.1), "relu": nn.ReLU}
        parts = (p for i in range(layers + 1) for p in (conv(channels if i else planes, channels, 3), bends[activation]()))
        self.body = nn.Sequential(*parts, conv(channels, planes * scale**2, 3))

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(x, scale_factor=self.scale)


class FoldedConv(nn.Module):
    """In the authors' code, branches that add up to this convolution."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.eval_conv = conv(inputs, outputs, 3)

    def forward(self, x):
        return self.eval_conv(x)


class SPANBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = (FoldedConv(channels, channels) for _ in range(3))

    def forward(self, x):
        first = F.silu(self.c1_r(x))
        z = self.c3_r(F.silu(self.c2_r(first)))
        return (z + x) * (torch.sigmoid(z) - 0.5), first


class SPAN(nn.Module):
    input_size = "low"

    def __init__(self, scale, blocks, channels, normalize, colors):
        super().__init__()
        self.scale, self.blocks, self.normalize, self.colors = scale, blocks, normalize, colors
        mark(self, no_norm=not normalize)
        planes = 3 if colors == "rgb" else 1
        self.conv_1, self.conv_2 = FoldedConv(planes, channels), FoldedConv(channels, channels)
        for i in range(blocks):
            setattr(self, f"block_{i + 1}", SPANBlock(channels))
        self.conv_cat = conv(4 * channels, channels, 1)
        self.upsampler = nn.Sequential(conv(channels, planes * scale**2, 3), nn.PixelShuffle(scale))
        self.register_buffer("mean", torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, x):
        features = y = self.conv_1((x - self.mean) * 255 if self.normalize else x)
        for i in range(self.blocks):
            y, inner = getattr(self, f"block_{i + 1}")(y)
            after_first = y if i == 0 else after_first
        return self.upsampler(self.conv_cat(torch.cat([features, self.conv_2(y), after_first, inner], 1)))


class DenseBlock(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        for i in range(5):
            setattr(self, f"conv{i + 1}", conv(channels + i * growth, channels if i == 4 else growth, 3))

    def forward(self, x):
        y = x
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            y = torch.cat([y, F.leaky_relu(layer(y), 0.2)], 1)
        return x + 0.2 * self.conv5(y)


class RRDB(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(channels, growth) for _ in range(3))

    def forward(self, x):
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    input_size = "low"

    def __init__(self, scale, blocks, channels, growth, unshuffle, colors):
        super().__init__()
        self.scale, self.unshuffle, self.colors = scale, unshuffle, colors
        planes = 3 if colors == "rgb" else 1
        self.conv_first = conv(planes * unshuffle**2, channels, 3)
        self.body = nn.Sequential(*(RRDB(channels, growth) for _ in range(blocks)))
        self.conv_body = conv(channels, channels, 3)
        self.steps = (scale * unshuffle).bit_length() - 1
        for i in range(self.steps):
            setattr(self, f"conv_up{i + 1}", conv(channels, channels, 3))
        self.conv_hr, self.conv_last = conv(channels, channels, 3), conv(channels, planes, 3)

    def forward(self, x):
        height, width = x.shape[-2:]
        if self.unshuffle > 1:
            x = F.pad(x, [0, -width % self.unshuffle, 0, -height % self.unshuffle], mode="reflect")
            x = F.pixel_unshuffle(x, self.unshuffle)
        features = self.conv_first(x)
        y = features + self.conv_body(self.body(features))
        for i in range(self.steps):
            y = F.leaky_relu(getattr(self, f"conv_up{i + 1}")(F.interpolate(y, scale_factor=2)), 0.2)
        y = self.conv_last(F.leaky_relu(self.conv_hr(y), 0.2))
        return y[..., : height * self.scale, : width * self.scale]


class WrenBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = conv(channels, channels, 3), conv(channels, channels, 3)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(x)))


class Wren(nn.Module):
    input_size = "low"

    def __init__(self, scale, blocks, channels, colors):
        super().__init__()
        self.scale, self.colors = scale, colors
        planes = 3 if colors == "rgb" else 1
        self.head = conv(planes, channels, 3)
        self.blocks = nn.Sequential(*(WrenBlock(channels) for _ in range(blocks)))
        self.tail = conv(channels, planes * scale**2, 3)
        # So that training begins with the enlarged picture itself.
        for parameter in self.tail.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x):
        detail = F.pixel_shuffle(self.tail(self.blocks(self.head(x - 0.45))), self.scale)
        return (x if self.scale == 1 else enlarge(x, self.scale)) + detail


networks = {
    network.__name__: network for network in (SRCNN, ESPCN, FSRCNN, EDSR, Compact, SPAN, RRDBNet, Wren)
}


def option(name, text):
    """The value of a network's option, which files hold as a text."""
    if name in ("kernels", "filters"):
        return [int(number) for number in text.split("-")]
    if text in ("true", "false"):
        return text == "true"
    if name in ("activation", "padding", "colors"):
        return text
    return float(text) if name in ("resScale", "rgbRange") else int(text)


def options(metadata):
    """The options of the network that a weight file's metadata describe."""
    code = networks[metadata["architecture"]].__init__.__code__
    return {name: option(name, metadata[name]) for name in code.co_varnames[1 : code.co_argcount]}


def build(metadata):
    """The network that a weight file's metadata describe, with random weights."""
    return networks[metadata["architecture"]](**options(metadata))


def load(path):
    """The network of a safetensors file, and the file's metadata. Other files: `pixelgrad convert` them first."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    model = build(metadata)
    restore(model, state)
    return model, metadata


def restore(model, state):
    """Files of earlier versions have no markers."""
    markers = {name: values for name, values in model.state_dict().items() if name in MARKERS}
    model.load_state_dict({**markers, **state})


def save(path, model, metadata):
    """A safetensors file that pixelgrad reads."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, path, metadata=metadata)
