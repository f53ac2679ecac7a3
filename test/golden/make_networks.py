"""Writes networks.safetensors: networks that people exchange, with random weights, and what they make of a picture.

    python make_networks.py

spandrel builds the networks (it reads the files of some forty programs), with few channels, and computes in float64,
as make.py explains. Wren, which is this library's own, comes from examples/pytorch. A case has

    w/NAME    its weights, by the names that files have
    x, y      a picture, and the network's result

and as options the architecture and the options that this library should recognize.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from make import VERSIONS, Golden, f32
from spandrel.architectures.__arch_helpers import block
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.SPAN import SPAN
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parents[2] / "examples" / "pytorch"))
from networks import Wren  # noqa: E402

SPANDREL = "0.4.2"
SPAN_GAIN = 1.1


def randomize(golden: Golden, case: str, network: nn.Module, gain: float) -> dict[str, Tensor]:
    """Weights that keep the signal's size, exact in float32. Slopes and biases are random, too."""
    rng = golden.rng(f"{case}/weights")
    state = {}
    for name, old in network.state_dict().items():
        values = rng.standard_normal(tuple(old.shape))
        if old.ndim == 4:
            values *= gain / (old[0].numel() ** 0.5)
        else:
            values *= 0.1
        if getattr(network, "is_norm", False) and re.match(r"conv_1\.(sk|conv\.0)\.weight", name):
            values *= 0.01  # the picture has values up to 255; a trained network's features are about 1
        state[name] = torch.tensor(f32(values), dtype=torch.float64)
    if "no_norm" in state:
        state["no_norm"].zero_()
    network.load_state_dict(state)
    return state


def add(
    golden: Golden,
    case: str,
    network: nn.Module,
    size: tuple[int, int, int],
    options: dict,
    rename: Callable[[str], str] = lambda name: name,
    gain: float = 1.4,
) -> None:
    network = network.double().eval()
    state = randomize(golden, case, network, gain)
    x = f32(golden.rng(f"{case}/x").uniform(size=(1, *size)))
    with torch.no_grad():
        y = network(torch.tensor(x, dtype=torch.float64))
    tensors = {f"w/{rename(name)}": values for name, values in state.items()}
    golden.put(case, "network", options, {**tensors, "x": x, "y": y})


def compact(golden: Golden) -> None:
    def case(scale: int, layers: int, channels: int, activation: str, planes: int) -> None:
        network = Compact(
            num_in_ch=planes,
            num_out_ch=planes,
            num_feat=channels,
            num_conv=layers,
            upscale=scale,
            act_type=activation.lower(),
        )
        colors = "rgb" if planes == 3 else "y"
        options = {
            **{"architecture": "Compact", "scale": scale, "layers": layers, "channels": channels},
            **{"activation": activation, "colors": colors},
        }
        name = f"Compact x{scale} {layers}x{channels} {activation} {colors}"
        add(golden, name, network, (planes, 6, 7), options)

    for scale in (1, 2, 3, 4):
        case(scale, 2, 5, "prelu", 3)
    case(2, 0, 3, "prelu", 3)
    case(2, 2, 5, "relu", 3)
    case(2, 2, 5, "leakyRelu", 3)
    case(2, 2, 5, "prelu", 1)
    case(1, 1, 17, "prelu", 1)


def span(golden: Golden) -> None:
    def case(scale: int, channels: int, normalize: bool, planes: int) -> None:
        network = SPAN(
            num_in_ch=planes,
            num_out_ch=planes,
            feature_channels=channels,
            upscale=scale,
            norm=normalize,
        )
        colors = "rgb" if planes == 3 else "y"
        options = {
            **{"architecture": "SPAN", "scale": scale, "blocks": 6, "channels": channels},
            **{"normalize": normalize, "colors": colors},
        }
        name = f"SPAN x{scale} {channels} {colors}{' normalized' if normalize else ''}"
        # Its gates make small features smaller and large ones larger: with this gain, they stay about 1.
        add(golden, name, network, (planes, 6, 7), options, gain=SPAN_GAIN)

    for scale in (1, 2, 3, 4):
        case(scale, 2, False, 3)
    case(2, 4, True, 3)
    case(2, 2, False, 1)


def basic_name(blocks: int, ups: int) -> Callable[[str], str]:
    """ESRGAN's first names, which spandrel keeps, to those of BasicSR."""
    last = 3 * ups + 4
    parts = [
        (r"^model\.0\.", "conv_first."),
        (r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
        (rf"^model\.1\.sub\.{blocks}\.", "conv_body."),
        (rf"^model\.{last - 2}\.", "conv_hr."),
        (rf"^model\.{last}\.", "conv_last."),
        *((rf"^model\.{3 * (i + 1)}\.", f"conv_up{i + 1}.") for i in range(ups)),
    ]

    def rename(name: str) -> str:
        for pattern, new in parts:
            if re.match(pattern, name):
                return re.sub(pattern, new, name)
        raise ValueError(name)

    return rename


def second_name(basic: Callable[[str], str]) -> Callable[[str], str]:
    """The names of ESRGAN's code after that."""

    def rename(name: str) -> str:
        name = re.sub(r"^body\.(\d+)\.rdb", r"RRDB_trunk.\1.RDB", basic(name))
        name = name.replace("conv_body", "trunk_conv").replace("conv_hr", "HRconv")
        return re.sub(r"^conv_up", "upconv", name)

    return rename


def rrdbnet(golden: Golden) -> None:
    own_block = block.RRDB

    def case(
        scale: int,
        blocks: int = 1,
        channels: int = 4,
        growth: int = 2,
        unshuffle: int = 1,
        planes: int = 3,
        names: str = "basic",
        size: tuple[int, int] = (6, 7),
    ) -> None:
        # spandrel's growth is always 32.
        block.RRDB = lambda **options: own_block(**{**options, "gc": growth})
        network = ESRGAN(
            in_nc=planes * unshuffle**2,
            out_nc=planes,
            num_filters=channels,
            num_blocks=blocks,
            scale=scale * unshuffle,
            shuffle_factor=unshuffle if unshuffle > 1 else None,
        )
        block.RRDB = own_block
        ups = (scale * unshuffle).bit_length() - 1
        basic = basic_name(blocks, ups)
        rename = {"first": lambda name: name, "second": second_name(basic), "basic": basic}[names]
        colors = "rgb" if planes == 3 else "y"
        options = {
            **{"architecture": "RRDBNet", "scale": scale, "blocks": blocks, "channels": channels},
            **{"growth": growth, "unshuffle": unshuffle, "colors": colors},
        }
        name = f"RRDBNet x{scale} {blocks}x{channels}+{growth}"
        name += " y" if planes == 1 else ""
        name += f" unshuffle {unshuffle} on {size[0]}x{size[1]}" if unshuffle > 1 else ""
        name += f", {names} names" if names != "basic" else ""
        add(golden, name, network, (planes, *size), options, rename)

    for scale in (1, 2, 4):
        case(scale, blocks=2)
    for names in ("first", "second"):
        case(1, names=names)
        case(4, names=names)
    case(8, channels=2, names="first", size=(4, 3))
    case(2, planes=1)
    case(2, unshuffle=2, size=(6, 8))
    case(2, unshuffle=2, size=(7, 9))
    case(1, unshuffle=4, size=(8, 12))
    case(1, unshuffle=4, size=(9, 14))
    case(2, unshuffle=2, planes=1, names="first", size=(5, 8))
    case(4, blocks=23, channels=2, growth=2)


def wren(golden: Golden) -> None:
    def case(scale: int, blocks: int, channels: int, planes: int) -> None:
        options = {"scale": scale, "blocks": blocks, "channels": channels, "colors": "rgb" if planes == 3 else "y"}
        name = f"Wren x{scale} {blocks}x{channels} {options['colors']}"
        add(golden, name, Wren(**options), (planes, 6, 7), {"architecture": "Wren", **options})

    for scale in (1, 2, 3, 4, 8):
        case(scale, 2, 5, 3)
    case(2, 1, 17, 1)
    case(1, 1, 3, 1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    VERSIONS["spandrel"] = SPANDREL
    golden = Golden("networks")
    compact(golden)
    span(golden)
    rrdbnet(golden)
    wren(golden)
    golden.save()
