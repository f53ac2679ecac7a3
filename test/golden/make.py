"""Writes the golden files of this folder: inputs, and what PyTorch makes of them.

    python make.py            all topics
    python make.py resize     some of them

Every number comes from a generator seeded with the name of its case, so a new case leaves the others as they
are, and a second run writes the same bytes. Inputs are rounded to float32 first; PyTorch then computes in
float64, and only its result is rounded to float32. So the files are exact to the last place, and a test
measures the error of the code it tests, not of PyTorch.

A file is in the safetensors format. It holds tensors named `case/x`, where for a case with inputs x and w

    x, w      are the inputs
    y         is the result of the operation
    dy        is the gradient of some loss with respect to y: random numbers
    dx, dw    are the gradients of that loss with respect to the inputs

and, under the key `golden` of the metadata, JSON: {"versions": {...}, "cases": {case: {"op": ..., options}}}.
"""

import json
import math
import platform
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import Tensor, nn

HERE = Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__.split("+")[0],
    "numpy": np.__version__,
}


def rng_of(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def f32(values) -> np.ndarray:
    return np.array(np.asarray(values), dtype=np.float32, order="C")


class Golden:
    """The cases of one file."""

    def __init__(self, topic: str):
        self.topic = topic
        self.tensors: dict[str, np.ndarray] = {}
        self.cases: dict[str, dict] = {}

    def rng(self, case: str) -> np.random.Generator:
        return rng_of(f"{self.topic}/{case}")

    def put(self, case: str, op: str, options: dict, tensors: dict) -> None:
        assert case not in self.cases, f"two cases are called {case}"
        self.cases[case] = {"op": op, **options}
        for name, values in tensors.items():
            self.tensors[f"{case}/{name}"] = f32(values.detach() if isinstance(values, Tensor) else values)

    def op(
        self,
        case: str,
        op: str,
        inputs: dict[str, np.ndarray],
        f: Callable[..., Tensor],
        options: dict | None = None,
        constant: tuple[str, ...] = (),
    ) -> None:
        """One operation: its value, and its gradient with respect to every input that is not `constant`."""
        inputs = {name: f32(values) for name, values in inputs.items()}
        leaves = {
            name: torch.tensor(values, dtype=torch.float64, requires_grad=name not in constant)
            for name, values in inputs.items()
        }
        y = f(*leaves.values())
        dy = f32(rng_of(f"{self.topic}/{case}/dy").standard_normal(y.shape))
        wanted = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
        gradients = torch.autograd.grad(y, list(wanted.values()), torch.tensor(dy, dtype=torch.float64))
        results = {f"d{name}": gradient for name, gradient in zip(wanted, gradients, strict=True)}
        self.put(case, op, options or {}, {**inputs, "y": y, "dy": dy, **results})

    def constant(
        self, case: str, op: str, inputs: dict[str, np.ndarray], f: Callable[..., Tensor], options: dict | None = None
    ) -> None:
        """One operation without a gradient."""
        inputs = {name: f32(values) for name, values in inputs.items()}
        y = f(*(torch.tensor(values, dtype=torch.float64) for values in inputs.values()))
        self.put(case, op, options or {}, {**inputs, "y": y})

    def save(self) -> None:
        file = HERE / f"{self.topic}.safetensors"
        golden = json.dumps({"versions": VERSIONS, "cases": self.cases})
        part = file.with_suffix(".part")
        # A single key: the format does not fix the order of several.
        save_file(self.tensors, part, metadata={"golden": golden})
        part.rename(file)
        file.chmod(0o644)
        print(f"{file.name}: {len(self.cases)} cases, {file.stat().st_size / 1000:.0f} kB")


# ---- Convolution


def conv2d() -> Golden:
    golden = Golden("conv2d")
    default = {"stride": 1, "padding": 0, "dilation": 1}

    def case(
        channels: tuple[int, int],
        kernel: tuple[int, int],
        image: tuple[int, int, int],
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        relu=False,
    ) -> None:
        (c, o), (kh, kw), (n, h, w) = channels, kernel, image
        options = {"stride": stride, "padding": padding, "dilation": dilation, "relu": relu}
        name = f"{kh}x{kw} {c}to{o} on {n}x{h}x{w}"
        name += "".join(f" {key} {options[key]}" for key in default if options[key] != default[key])
        name += ("" if bias else " no bias") + (" relu" if relu else "")
        rng = golden.rng(name)
        inputs = {"x": rng.standard_normal((n, c, h, w))}
        inputs["w"] = rng.standard_normal((o, c, kh, kw)) / math.sqrt(c * kh * kw)
        if bias:
            inputs["b"] = rng.standard_normal(o)

        def f(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
            y = F.conv2d(x, w, b, stride, padding, dilation)
            return F.relu(y) if relu else y

        golden.op(name, "conv2d", inputs, f, options)

    case((1, 1), (1, 1), (1, 1, 1))
    case((3, 16), (1, 1), (2, 4, 5), bias=False)
    case((64, 17), (1, 1), (1, 4, 3))
    case((16, 3), (1, 1), (3, 5, 4), stride=2, relu=True)
    case((16, 1), (1, 1), (2, 4, 3), padding=1)

    case((3, 3), (3, 3), (1, 1, 1), padding=1)
    case((3, 16), (3, 3), (2, 5, 9), padding=1)
    case((16, 16), (3, 3), (1, 9, 6), padding=1, relu=True)
    case((64, 16), (3, 3), (1, 3, 5), padding=1, relu=True)
    case((3, 64), (3, 3), (1, 5, 4), padding=1)
    case((64, 3), (3, 3), (2, 3, 4), padding=1, bias=False)
    case((17, 3), (3, 3), (3, 6, 5), padding=1)
    case((16, 17), (3, 3), (1, 5, 5), bias=False)
    case((3, 2), (3, 3), (1, 37, 19), padding=1, relu=True)
    case((2, 8), (3, 3), (2, 1, 40), padding=1)
    case((8, 2), (3, 3), (1, 33, 2), padding=1)
    case((1, 3), (3, 3), (2, 9, 10), stride=2, padding=1)
    case((16, 8), (3, 3), (1, 9, 7), stride=2, padding=1, relu=True)
    case((3, 17), (3, 3), (1, 10, 13), stride=3, padding=2)
    case((16, 3), (3, 3), (1, 7, 8), padding=2, dilation=2, bias=False)
    case((3, 4), (3, 3), (1, 5, 5), padding=4)
    case((17, 3), (3, 3), (1, 7, 10), stride=2, padding=2, dilation=2)
    case((3, 1), (3, 3), (2, 12, 11), stride=3, dilation=2, bias=False)

    case((1, 16), (5, 5), (2, 7, 6), padding=2, relu=True)
    case((16, 1), (5, 5), (1, 9, 7), padding=2)
    case((3, 3), (5, 5), (2, 9, 11), stride=2, padding=3)
    case((3, 4), (5, 5), (1, 9, 8), padding=4, dilation=2, bias=False)
    case((17, 1), (5, 5), (1, 7, 8), stride=3, padding=1)

    case((1, 17), (9, 9), (1, 9, 8), padding=4, relu=True)
    case((3, 3), (9, 9), (2, 7, 9), padding=4, bias=False)
    case((4, 1), (9, 9), (1, 13, 10), stride=2)

    case((3, 16), (3, 5), (2, 5, 6), padding=(1, 2))
    case((16, 3), (3, 5), (1, 6, 9), stride=(2, 1), padding=(0, 2), dilation=(1, 2), relu=True)
    case((3, 17), (3, 5), (3, 5, 7), stride=2, padding=3, bias=False)

    # What may follow on the way to memory, with an input of its own (e) or without.
    followers = {
        "leaky_relu": (None, lambda y, _: F.leaky_relu(y, 0.2)),
        "silu": (None, lambda y, _: F.silu(y)),
        "prelu": ((8,), F.prelu),
        "gate": ((2, 8, 5, 6), lambda y, e: (y + e) * (y.sigmoid() - 0.5)),
        "shuffled skip": (
            (2, 2, 5, 6),
            lambda y, e: F.pixel_shuffle(y, 2) + F.interpolate(e, scale_factor=2, mode="nearest"),
        ),
    }
    for follower, (shape, f) in followers.items():
        name = f"3x3 4to8 then {follower}"
        rng = golden.rng(name)
        inputs = {"x": rng.standard_normal((2, 4, 5, 6)), "w": rng.standard_normal((8, 4, 3, 3)) / 6}
        inputs["b"] = rng.standard_normal(8)
        if shape:
            inputs["e"] = rng.standard_normal(shape)

        def run(x: Tensor, w: Tensor, b: Tensor, e: Tensor | None = None) -> Tensor:
            return f(F.conv2d(x, w, b, padding=1), e)

        golden.op(name, "conv2d_then", inputs, run, {"follower": follower})

    def dense(x: Tensor, *layers: Tensor) -> Tensor:
        for w, b in zip(layers[::2], layers[1::2], strict=True):
            x = torch.cat((x, F.leaky_relu(F.conv2d(x, w, b, padding=1), 0.2)), 1)
        return x

    for n, c, h, w, growth in ((1, 4, 5, 6, (2, 2, 2, 2)), (2, 3, 4, 7, (5, 3))):
        name = f"dense {c} on {n}x{h}x{w} growing by {list(growth)}"
        rng = golden.rng(name)
        inputs = {"x": rng.standard_normal((n, c, h, w))}
        for i, o in enumerate(growth):
            before = c + sum(growth[:i])
            inputs[f"w{i}"] = rng.standard_normal((o, before, 3, 3)) / math.sqrt(9 * before)
            inputs[f"b{i}"] = rng.standard_normal(o)
        golden.op(name, "dense_conv2d", inputs, dense, {"growth": growth})
    return golden


def conv_transpose2d() -> Golden:
    golden = Golden("conv_transpose2d")
    default = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}

    def case(
        channels: tuple[int, int],
        kernel: tuple[int, int],
        image: tuple[int, int, int],
        bias=True,
        **given,
    ) -> None:
        (c, o), (kh, kw), (n, h, w) = channels, kernel, image
        options = {**default, **given}
        name = f"{kh}x{kw} {c}to{o} on {n}x{h}x{w}"
        name += "".join(f" {key} {given[key]}" for key in given) + ("" if bias else " no bias")
        rng = golden.rng(name)
        inputs = {"x": rng.standard_normal((n, c, h, w))}
        inputs["w"] = rng.standard_normal((c, o, kh, kw)) / math.sqrt(c * kh * kw)
        if bias:
            inputs["b"] = rng.standard_normal(o)

        def f(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
            return F.conv_transpose2d(x, w, b, **options)

        golden.op(name, "conv_transpose2d", inputs, f, options)

    case((1, 1), (1, 1), (1, 1, 1))
    case((3, 5), (3, 3), (2, 4, 7), padding=1)
    case((5, 2), (3, 3), (1, 6, 5), padding=1, dilation=2, bias=False)
    case((4, 3), (2, 2), (2, 5, 3), stride=2)
    case((3, 4), (3, 3), (1, 5, 6), stride=2, padding=1, output_padding=1)
    case((2, 3), (4, 4), (2, 3, 5), stride=2, padding=1)
    case((2, 2), (2, 3), (1, 3, 4), stride=4, output_padding=(3, 0), bias=False)
    for stride in (2, 3, 4):  # FSRCNN's
        case((6, 1), (9, 9), (2, 4, 5), False, stride=stride, padding=4, output_padding=stride - 1)
    case((3, 2), (5, 3), (1, 5, 4), stride=(2, 3), padding=(1, 0), output_padding=(0, 2))
    case((2, 3), (3, 2), (1, 4, 5), stride=2, padding=1, output_padding=1, dilation=(3, 2))
    case((1, 2), (3, 3), (1, 4, 4), stride=(1, 2), output_padding=(1, 2), dilation=(2, 3))
    return golden


# ---- One element at a time


def elementwise() -> Golden:
    golden = Golden("elementwise")

    def uniform(case: str, shape, low=-2.0, high=2.0) -> np.ndarray:
        return golden.rng(case).uniform(low, high, shape)

    def gelu_tanh(x: Tensor) -> Tensor:
        return F.gelu(x, approximate="tanh")

    # name, function, range of x
    unary = [
        ("neg", torch.neg, -2, 2),
        ("abs", torch.abs, -2, 2),
        ("exp", torch.exp, -5, 5),
        ("log", torch.log, 0.01, 20),
        ("sqrt", torch.sqrt, 0.01, 20),
        ("relu", F.relu, -2, 2),
        ("sigmoid", torch.sigmoid, -8, 8),
        ("tanh", torch.tanh, -4, 4),
        ("silu", F.silu, -8, 8),
        ("sin", torch.sin, -40, 40),
        ("cos", torch.cos, -40, 40),
        ("square", torch.square, -3, 3),
        ("softplus", F.softplus, -15, 15),
        ("elu", F.elu, -6, 6),
        ("gelu", F.gelu, -6, 6),
        ("gelu_tanh", gelu_tanh, -6, 6),
    ]
    for op, f, low, high in unary:
        golden.op(op, op, {"x": uniform(op, (2, 3, 5, 3), low, high)}, f)
        golden.op(f"{op} of one number", op, {"x": 0.7}, f)
    # Where functions saturate, overflow, or have a kink, PyTorch's choice is the rule.
    golden.op("sigmoid saturated", "sigmoid", {"x": [-100, -30, 0.5, 30, 100]}, torch.sigmoid)
    golden.op("tanh saturated", "tanh", {"x": [-100, -20, -9, 0.5, 9, 20, 100]}, torch.tanh)
    for op, f in (("silu", F.silu), ("gelu", F.gelu), ("gelu_tanh", gelu_tanh)):
        golden.op(f"{op} saturated", op, {"x": [-1e30, -100, -13, -9, -5, -1e-30, 0, 1e-30, 5, 13, 100, 1e30]}, f)
    kinks = [-1.0, -1e-30, -0.0, 0.0, 1e-30, 1.0]
    golden.op("relu at 0", "relu", {"x": kinks}, F.relu)
    golden.op("abs at 0", "abs", {"x": kinks}, torch.abs)

    golden.op("elu at 0", "elu", {"x": kinks}, F.elu)
    for alpha in (0.3, 2):
        name = f"elu {alpha}"
        golden.op(name, "elu", {"x": uniform(name, (3, 7))}, lambda x: F.elu(x, alpha), {"alpha": alpha})
    for beta in (0.5, 3):
        name = f"softplus {beta}"
        golden.op(name, "softplus", {"x": uniform(name, (3, 7))}, lambda x: F.softplus(x, beta), {"beta": beta})
    for low, high in ((0.5, None), (None, -0.5)):
        name = f"clamp {low} {high}"
        options = {key: value for key, value in (("low", low), ("high", high)) if value is not None}
        golden.op(name, "clamp", {"x": uniform(name, (4, 9))}, lambda x: x.clamp(low, high), options)

    for slope in (0.01, 0.2):
        name = f"leaky_relu {slope}"
        x = uniform(name, (3, 7))
        golden.op(name, "leaky_relu", {"x": x}, lambda x: F.leaky_relu(x, slope), {"slope": slope})
    golden.op("leaky_relu at 0", "leaky_relu", {"x": kinks}, lambda x: F.leaky_relu(x, 0.1), {"slope": 0.1})
    for low, high in ((-1, 1), (0, 0.5)):
        name = f"clamp {low} {high}"
        x = uniform(name, (4, 9))
        golden.op(name, "clamp", {"x": x}, lambda x: x.clamp(low, high), {"low": low, "high": high})
    edges = {"x": [-3, -1, -0.5, 0, 0.5, 1, 3]}
    golden.op("clamp at its bounds", "clamp", edges, lambda x: x.clamp(-1, 1), {"low": -1, "high": 1})
    for shape, slopes in (((2, 3, 4, 5), (3,)), ((2, 3, 4, 5), (1,)), ((4, 5), (5,)), ((2, 16, 3), (16,))):
        name = f"prelu {list(shape)} {list(slopes)}"
        inputs = {"x": uniform(name, shape), "w": uniform(name + " w", slopes, 0.1, 0.5)}
        golden.op(name, "prelu", inputs, F.prelu)
    name = "symmetric_gate"
    inputs = {"z": uniform(name, (2, 3, 4, 5), -6, 6), "x": uniform(name + " x", (2, 3, 4, 5), -3, 3)}
    golden.op(name, name, inputs, lambda z, x: (z + x) * (z.sigmoid() - 0.5))
    golden.op("prelu at 0", "prelu", {"x": [kinks], "w": [0.25]}, F.prelu)

    shapes = [
        ((2, 3, 4), (2, 3, 4)),
        ((2, 3, 4), (3, 1)),
        ((3, 1), (2, 3, 4)),
        ((4, 1, 3), (2, 1)),
        ((1,), (2, 3)),
        ((5,), ()),
        ((), ()),
        ((2, 5, 3, 2), (5, 1, 1)),
        ((2, 1, 3, 1, 2), (3, 1, 2, 1)),
    ]
    # name, function, ranges of a and b
    binary = [
        ("add", torch.add, (-2, 2), (-2, 2)),
        ("sub", torch.sub, (-2, 2), (-2, 2)),
        ("mul", torch.mul, (-2, 2), (-2, 2)),
        ("div", torch.div, (-2, 2), (0.25, 2)),
        ("pow", torch.pow, (0.25, 3), (-2, 3)),
        ("maximum", torch.maximum, (-2, 2), (-2, 2)),
        ("minimum", torch.minimum, (-2, 2), (-2, 2)),
    ]
    for op, f, a_range, b_range in binary:
        for a, b in shapes:
            name = f"{op} {list(a)} {list(b)}"
            inputs = {"a": uniform(name, a, *a_range), "b": uniform(name + " b", b, *b_range)}
            golden.op(name, op, inputs, f)
        # A plain number on one side.
        if op in ("sub", "div", "pow"):
            name = f"{op} number first"
            x = uniform(name, (3, 5), *b_range)
            golden.op(name, op, {"b": x}, lambda b: f(torch.tensor(1.5, dtype=torch.float64), b), {"a": 1.5})
        if op in ("add", "sub", "mul", "div"):
            name = f"{op} number last"
            golden.op(name, op, {"a": uniform(name, (3, 5), *a_range)}, lambda a: f(a, 1.5), {"b": 1.5})
    equal = {"a": [1.0, 2.0, 3.0, -0.0], "b": [2.0, 2.0, 2.0, 0.0]}
    golden.op("maximum of equal numbers", "maximum", equal, torch.maximum)
    golden.op("minimum of equal numbers", "minimum", equal, torch.minimum)
    for op, f in (
        ("eq", torch.eq),
        ("ne", torch.ne),
        ("lt", torch.lt),
        ("le", torch.le),
        ("gt", torch.gt),
        ("ge", torch.ge),
    ):
        nan = math.nan
        inputs = {"a": [[1.0, 2.0, 3.0, nan, math.inf]], "b": [[1.0], [2.0], [nan], [-math.inf], [math.inf]]}
        golden.constant(op, op, inputs, f)
    for c, a, b in (
        ((2, 3), (2, 3), (2, 3)),
        ((3,), (2, 1), (2, 3)),
        ((2, 1, 4), (3, 1), (1,)),
        ((2, 3), (), (3,)),
    ):
        name = f"where {list(c)} {list(a)} {list(b)}"
        rng = golden.rng(name)
        inputs = {"c": rng.integers(0, 2, c), "a": rng.standard_normal(a), "b": rng.standard_normal(b)}
        golden.op(name, "where", inputs, lambda c, a, b: torch.where(c != 0, a, b), constant=("c",))
    name = "add alpha"
    inputs = {"a": uniform(name, (2, 3)), "b": uniform(name + " b", (3,))}
    golden.op(name, "add", inputs, lambda a, b: torch.add(a, b, alpha=-0.5), {"alpha": -0.5})
    for exponent in (0, 1, 2, 3, -1, -2, 0.5, 2.5):
        name = f"pow {exponent}"
        x = uniform(name, (3, 7), 0.25, 3)
        if float(exponent).is_integer():
            x *= np.sign(uniform(name + " sign", (3, 7)))
        golden.op(name, "pow", {"a": x}, lambda a: a**exponent, {"b": exponent})
    negative = {"a": [-2.0, -1.5, -0.5, -2.0, -1.5, -0.5], "b": [2.0, 3.0, -1.0, 0.0, 1.0, -2.0]}
    golden.op("pow of negative numbers", "pow", negative, torch.pow, constant=("b",))
    golden.op("pow of 0", "pow", {"a": [0.0, 0.0, 0.0, 0.0], "b": [0.0, 1.0, 2.0, 3.0]}, torch.pow)
    return golden


# ---- Sums and products


def reduce() -> Golden:
    golden = Golden("reduce")
    functions = {"sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin}
    shapes = [
        ((7,), [None, 0]),
        ((2, 3, 4, 5), [None, 0, 1, -1, (0, 2), (1, 2), (2, 3), (0, 2, 3), (0, 1, 2, 3)]),
        ((2, 65, 3), [1, (0, 2)]),
        ((1, 1025), [1]),
        ((300, 3), [0]),
        ((1, 1, 5), [0, (0, 1)]),
    ]
    for op, f in functions.items():
        for shape, axes in shapes:
            for axis in axes:
                for keepdim in (False, True):
                    if keepdim and axis not in (None, -1, (0, 2)):
                        continue
                    name = f"{op} {list(shape)} over {axis}{' keepdim' if keepdim else ''}"
                    x = golden.rng(name).standard_normal(shape)
                    dim = tuple(range(len(shape))) if axis is None else axis
                    options = {"axes": axis, "keepdim": keepdim}
                    golden.op(name, op, {"x": x}, lambda x: f(x, dim, keepdim), options)
    for op, f in (("var", torch.var), ("std", torch.std)):
        for shape, axis, correction in (((7,), None, 1), ((2, 3, 4, 5), (0, 2), 1), ((3, 6), -1, 0), ((2, 65, 3), 1, 2)):
            name = f"{op} {list(shape)} over {axis} correction {correction}"
            x = golden.rng(name).standard_normal(shape)
            options = {"axes": axis, "correction": correction}
            golden.op(name, op, {"x": x}, lambda x: f(x, axis, correction=correction), options)
    golden.op("std of equal numbers", "std", {"x": [[2, 2, 2], [1, 2, 4]]}, lambda x: x.std(1), {"axes": 1})

    # Equal largest elements share the gradient.
    ties = {"x": [[1.0, 3.0, 3.0, 0.0], [-1.0, -1.0, -1.0, -1.0], [-2.0, -3.0, -5.0, -7.0]]}
    golden.op("amax of equal numbers", "amax", ties, lambda x: x.amax(1), {"axes": 1, "keepdim": False})
    golden.op("amin of equal numbers", "amin", ties, lambda x: x.amin(1), {"axes": 1, "keepdim": False})

    for shape, axis, keepdim in (
        ((7,), None, False),
        ((3, 10), 1, False),
        ((3, 10), None, True),
        ((4, 5, 6), 0, True),
        ((4, 5, 6), 1, False),
        ((2, 3000), -1, False),
    ):
        name = f"argmax {list(shape)} along {axis}{' keepdim' if keepdim else ''}"
        x = golden.rng(name).standard_normal(shape)
        options = {"axis": axis, "keepdim": keepdim}
        golden.constant(name, "argmax", {"x": x}, lambda x: x.argmax(axis, keepdim), options)
    rows = [[1, 3, 3, 2], [0, 0, 0, 0], [1, math.nan, 5, math.nan], [-math.inf] * 4, [-1, -0.0, 0.0, -2]]
    golden.constant("argmax of equal numbers", "argmax", {"x": rows}, lambda x: x.argmax(1), {"axis": 1})

    for op in ("softmax", "log_softmax"):
        for shape, axis in (((5,), 0), ((3, 10), 1), ((2, 5, 3, 4), 1), ((2, 5, 3, 4), -1), ((4, 1), 1), ((3, 300), 1)):
            name = f"{op} {list(shape)} along {axis}"
            x = 3 * golden.rng(name).standard_normal(shape)
            golden.op(name, op, {"x": x}, lambda x: getattr(torch, op)(x, axis), {"axis": axis})
        far = {"x": [[1000.0, 999.0, -1000.0], [-1e30, -1e30, 0.0], [88.0, 89.0, 90.0], [0.0, 0.0, 0.0]]}
        golden.op(f"{op} of large numbers", op, far, lambda x: getattr(torch, op)(x, 1), {"axis": 1})

    for a, b in [
        ((1, 1), (1, 1)),
        ((3, 4), (4, 5)),
        ((17, 33), (33, 19)),
        ((1, 65), (65, 3)),
        ((5, 2), (2, 70)),
        ((2, 3, 4), (2, 4, 5)),
        ((4, 9, 17), (4, 17, 8)),
        ((2, 3, 4), (4, 5)),
        ((3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (3, 4, 5)),
    ]:
        name = f"matmul {list(a)} {list(b)}"
        rng = golden.rng(name)
        golden.op(name, "matmul", {"a": rng.standard_normal(a), "b": rng.standard_normal(b)}, torch.matmul)
    for x, out, bias in (((3, 4), 5, True), ((4,), 3, True), ((2, 3, 17), 1, True), ((64, 33), 10, False)):
        name = f"linear {list(x)} to {out}{'' if bias else ' no bias'}"
        rng = golden.rng(name)
        inputs = {"x": rng.standard_normal(x), "w": rng.standard_normal((out, x[-1]))}
        golden.op(name, "linear", {**inputs, "b": rng.standard_normal(out)} if bias else inputs, F.linear)
    return golden


# ---- Layers of classifiers


def layers() -> Golden:
    """A batch's statistics move the running ones: `new_mean`, `new_variance` and `new_batches` are these after."""
    golden = Golden("layers")
    for op, f in (("max_pool2d", F.max_pool2d), ("avg_pool2d", F.avg_pool2d)):
        for shape, window, options in (
            ((1, 1, 2, 2), 2, {}),
            ((2, 3, 7, 6), 2, {}),
            ((2, 3, 7, 6), 3, {"stride": 2, "padding": 1}),
            ((1, 2, 9, 8), (3, 2), {"stride": (2, 3), "padding": (1, 0)}),
            ((1, 2, 6, 6), 3, {"stride": 1, "padding": 1}),
            ((1, 1, 5, 9), 2, {"stride": 3}),
            ((1, 3, 8, 5), (8, 5), {}),
        ):
            name = f"{op} {window} on {list(shape)}" + "".join(f" {key} {options[key]}" for key in options)
            x = golden.rng(name).standard_normal(shape)
            golden.op(name, op, {"x": x}, lambda x: f(x, window, **options), {"window": window, **options})
        ties = golden.rng(f"{op} of equal numbers").integers(-1, 2, (2, 2, 6, 7))
        options = {"stride": 1, "padding": 1}
        golden.op(f"{op} of equal numbers", op, {"x": ties}, lambda x: f(x, 3, **options), {"window": 3, **options})

    for shape, training, momentum, offset in (
        ((4, 3, 5, 6), True, 0.1, 0),
        ((4, 3, 5, 6), False, 0.1, 0),
        ((4, 1, 1, 1), True, 0.3, 0),
        ((3, 5, 2, 3), True, None, 0),
        ((2, 2, 30, 30), True, 0.1, 10),
    ):
        name = f"batch_norm {list(shape)}{' training' if training else ''} momentum {momentum} at {offset}"
        rng = golden.rng(name)
        layer = nn.BatchNorm2d(shape[1], momentum=momentum).double().train(training)
        start = {
            "mean": f32(rng.standard_normal(shape[1])),
            "variance": f32(rng.uniform(0.5, 2, shape[1])),
            "batches": f32(3),
        }
        layer.running_mean.copy_(torch.tensor(start["mean"]))
        layer.running_var.copy_(torch.tensor(start["variance"]))
        layer.num_batches_tracked.fill_(3)
        inputs = {
            "x": rng.standard_normal(shape) + offset,
            "w": rng.uniform(0.5, 2, shape[1]),
            "b": rng.standard_normal(shape[1]),
        }

        def f(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
            return torch.func.functional_call(layer, {"weight": w, "bias": b}, x)

        golden.op(name, "batch_norm", inputs, f, {"training": training, "momentum": momentum})
        after = {
            "new_mean": layer.running_mean,
            "new_variance": layer.running_var,
            "new_batches": layer.num_batches_tracked,
        }
        for key, values in {**start, **after}.items():
            golden.tensors[f"{name}/{key}"] = f32(values)
    for shape, normalized, eps in (((2, 3, 4), (4,), 1e-5), ((2, 3, 4, 5), (4, 5), 1e-2)):
        name = f"layer_norm {list(shape)} over {list(normalized)} eps {eps}"
        rng = golden.rng(name)
        inputs = {"x": rng.normal(1, 2, shape), "w": rng.normal(1, 0.5, normalized), "b": rng.normal(0, 1, normalized)}
        options = {"shape": normalized, "eps": eps}
        golden.op(name, "layer_norm", inputs, lambda x, w, b: F.layer_norm(x, normalized, w, b, eps), options)
    for shape, groups in (((2, 4, 3, 5), 2), ((2, 3, 7), 3), ((3, 6), 1)):
        name = f"group_norm {list(shape)} in {groups}"
        rng = golden.rng(name)
        inputs = {"x": rng.normal(1, 2, shape), "w": rng.normal(1, 0.5, shape[1]), "b": rng.normal(0, 1, shape[1])}
        golden.op(name, "group_norm", inputs, lambda x, w, b: F.group_norm(x, groups, w, b), {"groups": groups})
    return golden


# ---- A small ResNet (He et al. 2016, "Deep residual learning for image recognition")


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.fc = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)
        return self.fc(F.adaptive_avg_pool2d(self.blocks(y), 1).flatten(1))


def resnet() -> Golden:
    """`case/before/NAME` and `case/after/NAME` are weights and buffers before and after twenty training steps;
    `logits` are those of the trained network in eval mode."""
    golden = Golden("resnet")
    classes, batch = 4, 8
    for name, make, options in (
        ("adamw", torch.optim.AdamW, {"lr": 3e-3, "weight_decay": 0.05}),
        ("sgd", torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    ):
        rng = golden.rng(name)
        model = ResNet().double()
        for parameter in model.parameters():
            if parameter.dim() > 1:
                bound = 1 / math.sqrt(parameter[0].numel())
                values = rng.uniform(-bound, bound, parameter.shape)
            else:
                values = rng.uniform(0.5, 1.5, parameter.shape)
            parameter.data = torch.tensor(f32(values), dtype=torch.float64)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        # Gratings whose direction is the class, in noise.
        x = np.zeros((20, batch, 1, 12, 12))
        target = rng.integers(0, classes, (20, batch))
        row, column = np.mgrid[0:12, 0:12]
        for at in np.ndindex(20, batch):
            angle = math.pi * target[at] / classes
            phase = rng.uniform(0, 2 * math.pi)
            x[at][0] = np.sin(row * math.cos(angle) + column * math.sin(angle) + phase)
        x = f32(x + 0.3 * rng.standard_normal(x.shape))
        optimizer = make(model.parameters(), **options)
        losses = []
        for step in range(20):
            optimizer.zero_grad()
            logits = model(torch.tensor(x[step], dtype=torch.float64))
            step_loss = F.cross_entropy(logits, torch.tensor(target[step]))
            step_loss.backward()
            optimizer.step()
            losses.append(step_loss.item())
        after = {key: value.clone() for key, value in model.state_dict().items()}
        logits = model.eval()(torch.tensor(x[0], dtype=torch.float64))
        golden.put(
            name,
            name,
            options,
            {
                "x": x,
                "target": target,
                "losses": losses,
                "logits": logits,
                **{f"before/{key}": value for key, value in before.items()},
                **{f"after/{key}": value for key, value in after.items()},
            },
        )
    return golden


# ---- The same numbers in other places


def layout() -> Golden:
    golden = Golden("layout")

    def case(op: str, f: Callable[..., Tensor], *shapes: tuple[int, ...], **options) -> None:
        name = " ".join(
            [op, *(str(list(shape)) for shape in shapes), *(f"{k} {options[k]}" for k in options)]
        )
        rng = golden.rng(name)
        names = ["x"] if len(shapes) == 1 else [f"x{i}" for i in range(len(shapes))]
        inputs = {name: rng.standard_normal(shape) for name, shape in zip(names, shapes, strict=True)}
        golden.op(name, op, inputs, f, options)

    for x, shape in (((2, 3, 4), (6, 4)), ((2, 6), (-1, 2, 2)), ((5,), (5, 1, 1))):
        case("reshape", lambda x: x.reshape(shape), x, shape=shape)
    for x, axes in (
        ((3, 5), (1, 0)),
        ((2, 3, 4), (2, 0, 1)),
        ((2, 3, 4, 5), (0, 2, 3, 1)),
        ((2, 3, 4, 5), (3, 1, 0, 2)),
        ((2, 3, 4, 5), (0, 1, 2, 3)),
        ((2, 1, 3, 2, 2, 2), (0, 1, 4, 2, 5, 3)),
    ):
        case("permute", lambda x: x.permute(axes), x, axes=axes)
    for x, starts, ends in (
        ((7,), (2,), (5,)),
        ((3, 6, 5), (0, 0), (3, 4)),
        ((3, 6, 5), (0, -3, 1), (2, -1, 5)),
        ((3, 6, 5), (2,), (99,)),
        ((2, 3, 4, 9), (0, 1, 1, 4), (2, 3, 3, 9)),
    ):
        ranges = tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))
        case("slice", lambda x: x[ranges], x, starts=starts, ends=ends)
    for shapes, axis in (
        (((2, 3), (4, 3)), 0),
        (((2, 3, 4), (2, 1, 4), (2, 5, 4)), 1),
        (((2, 3, 4, 5), (2, 3, 4, 2)), -1),
        (((1, 2, 3, 3), (1, 3, 3, 3)), 1),
    ):
        case("cat", lambda *x: torch.cat(x, axis), *shapes, axis=axis)
    for x, axes in (((5,), (0,)), ((2, 3, 4, 5), (3,)), ((2, 3, 4, 5), (0, -2))):
        case("flip", lambda x: x.flip(axes), x, axes=axes)
    for x, sizes, axis in (((7, 2), 3, 0), ((2, 6, 3), (1, 2, 3), 1)):
        # The parts in the opposite order.
        case("split", lambda x: torch.cat(x.split(sizes, axis)[::-1], axis), x, sizes=sizes, axis=axis)
    for x, axis0, axis1 in (((3, 5), 0, 1), ((2, 3, 4), -1, 0), ((2, 3, 4, 5), 1, 2)):
        case("transpose", lambda x: x.transpose(axis0, axis1), x, axis0=axis0, axis1=axis1)
    for x, axis in (((1, 3, 1), None), ((1, 3, 1), 0), ((1, 3, 1), -1), ((1, 3, 1), 1)):
        case("squeeze", lambda x: x.squeeze() if axis is None else x.squeeze(axis), x, axis=axis)
    for x, axis in (((3, 4), 0), ((3, 4), 1), ((3, 4), -1), ((), 0)):
        case("unsqueeze", lambda x: x.unsqueeze(axis), x, axis=axis)
    for x, start, end in (((2, 3, 4, 5), 1, -1), ((2, 3, 4, 5), 0, 2), ((2, 3), 1, 1)):
        case("flatten", lambda x: x.flatten(start, end), x, start=start, end=end)
    for shape, count, axis in (((2, 3), 3, 0), ((2, 3), 2, 1), ((2, 3), 2, -1), ((), 4, 0)):
        case("stack", lambda *x: torch.stack(x, axis), *[shape] * count, axis=axis)
    for x, padding in (
        ((2, 3, 4, 5), (1, 1, 1, 1)),
        ((1, 2, 6, 5), (3, 1, 0, 2)),
        ((2, 1, 5, 4), (0, 3, 4, 0)),
        ((1, 1, 2, 2), (1, 1, 1, 1)),
    ):
        for mode in ("constant", "reflect", "replicate"):
            case("pad", lambda x: F.pad(x, padding, mode), x, padding=padding, mode=mode)
    case("pad", lambda x: F.pad(x, (2, 0, 1, 1), value=0.5), (2, 3, 4), padding=(2, 0, 1, 1), value=0.5)
    for r in (2, 3, 4):
        for n, c, h, w in ((1, 1, 3, 5), (2, 2, 2, 3)):
            case("pixel_shuffle", lambda x: F.pixel_shuffle(x, r), (n, c * r * r, h, w), r=r)
            case("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, r), (n, c, h * r, w * r), r=r)
    return golden


# ---- Resizing


def resize() -> Golden:
    golden = Golden("resize")

    def case(x: tuple[int, ...], mode: str, antialias: bool, **target) -> None:
        [(key, value)] = target.items()
        name = f"{mode}{' antialias' if antialias else ''} {list(x)} {key} {value}"

        def f(x: Tensor) -> Tensor:
            corners = None if mode == "nearest" else False
            return F.interpolate(x, mode=mode, antialias=antialias, align_corners=corners, **target)

        inputs = {"x": golden.rng(name).uniform(0, 1, x)}
        golden.op(name, "interpolate", inputs, f, {"mode": mode, "antialias": antialias, **target})

    for mode, antialias in (
        ("nearest", False),
        ("bilinear", False),
        ("bilinear", True),
        ("bicubic", False),
        ("bicubic", True),
    ):
        for scale_factor in (2, 3, 4, 1.7):
            case((1, 2, 4, 5), mode, antialias, scale_factor=scale_factor)
        for scale_factor in (0.5, 0.3, 0.8):
            case((2, 1, 7, 10), mode, antialias, scale_factor=scale_factor)
        for size in ((9, 4), (5, 17), (7, 10), (1, 1)):
            case((1, 2, 7, 10), mode, antialias, size=size)
        case((1, 1, 3, 31), mode, antialias, size=(2, 5))
        case((1, 1, 1, 1), mode, antialias, size=(2, 3))
    return golden


# ---- Losses


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Wang et al. 2004: a Gaussian window of 11x11 with sigma 1.5, values in 0..1, no padding."""
    line = torch.exp(-(((torch.arange(11, dtype=x.dtype) - 5) / 1.5) ** 2) / 2)
    window = torch.outer(line, line) / line.sum() ** 2
    channels = x.shape[1]

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(values, window.expand(channels, 1, 11, 11), groups=channels)

    mx, my = mean(x), mean(y)
    xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (xx + yy + c2))).mean()


def loss() -> Golden:
    golden = Golden("loss")
    for op, f in (("l1_loss", F.l1_loss), ("mse_loss", F.mse_loss)):
        for shape, reduction in (
            ((), "mean"),
            ((2, 3, 5, 4), "mean"),
            ((2, 3, 5, 4), "sum"),
            ((1, 1, 17, 41), "mean"),
        ):
            name = f"{op} {list(shape)} {reduction}"
            rng = golden.rng(name)
            inputs = {"x": rng.uniform(0, 1, shape), "target": rng.uniform(0, 1, shape)}
            options = {"reduction": reduction}
            golden.op(name, op, inputs, lambda x, target: f(x, target, reduction=reduction), options)
        equal = {"x": [0.5, -1.0, 0.0, 2.0], "target": [0.5, -1.0, 0.0, 1.0]}
        golden.op(f"{op} of equal numbers", op, equal, f, {"reduction": "mean"})
    for op, f, option in (("huber_loss", F.huber_loss, "delta"), ("smooth_l1_loss", F.smooth_l1_loss, "beta")):
        for shape, reduction, bend in (((), "mean", 1), ((2, 3, 5, 4), "mean", 0.2), ((2, 3, 5, 4), "sum", 2)):
            name = f"{op} {list(shape)} {reduction} {bend}"
            rng = golden.rng(name)
            inputs = {"x": rng.normal(0, 1, shape), "target": rng.normal(0, 1, shape)}
            options = {"reduction": reduction, option: bend}
            golden.op(name, op, inputs, lambda x, target: f(x, target, **options), options)
    for shape, reduction in (((), "mean"), ((2, 3, 5), "mean"), ((4, 7), "sum")):
        name = f"bce_with_logits {list(shape)} {reduction}"
        rng = golden.rng(name)
        inputs = {"x": rng.normal(0, 4, shape), "target": rng.uniform(0, 1, shape)}
        bce = F.binary_cross_entropy_with_logits
        golden.op(name, "bce_with_logits", inputs, lambda x, t: bce(x, t, reduction=reduction), {"reduction": reduction})
    for shape, reduction, eps in (
        ((), "mean", 1e-3),
        ((2, 3, 5, 4), "mean", 1e-3),
        ((2, 3, 5, 4), "sum", 0.1),
    ):
        name = f"charbonnier {list(shape)} {reduction} {eps}"
        rng = golden.rng(name)
        inputs = {"x": rng.uniform(0, 1, shape), "target": rng.uniform(0, 1, shape)}

        def charbonnier(x: Tensor, target: Tensor) -> Tensor:
            return getattr(torch.sqrt((x - target) ** 2 + eps**2), reduction)()

        golden.op(name, "charbonnier", inputs, charbonnier, {"reduction": reduction, "eps": eps})
    for shape in ((1, 1, 11, 11), (2, 3, 16, 13)):
        name = f"ssim {list(shape)}"
        rng = golden.rng(name)
        x = rng.uniform(0, 1, shape)
        inputs = {"x": x, "target": np.clip(x + rng.normal(0, 0.1, shape), 0, 1)}
        golden.op(name, "ssim", inputs, lambda x, target: 1 - ssim(x, target))
    for shape in ((1, 1, 1, 1), (1, 1, 8, 8), (2, 3, 9, 14)):
        name = f"fft {list(shape)}"
        rng = golden.rng(name)
        inputs = {"x": rng.uniform(0, 1, shape), "target": rng.uniform(0, 1, shape)}

        def fft(x: Tensor, target: Tensor) -> Tensor:
            x, target = (torch.view_as_real(torch.fft.fft2(values)) for values in (x, target))
            return F.l1_loss(x, target)

        golden.op(name, "fft", inputs, fft)
    for shape, reduction in (
        ((5,), "mean"),
        ((4, 10), "mean"),
        ((4, 10), "sum"),
        ((3, 1), "mean"),
        ((2, 5, 3, 4), "mean"),
        ((2, 3, 300), "sum"),
        ((2, 1000), "mean"),
    ):
        name = f"cross_entropy {list(shape)} {reduction}"
        rng = golden.rng(name)
        axis = min(1, len(shape) - 1)
        target = rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
        inputs = {"x": 3 * rng.standard_normal(shape), "target": target}

        def cross_entropy(x: Tensor, target: Tensor) -> Tensor:
            return F.cross_entropy(x, target.long(), reduction=reduction)

        golden.op(name, "cross_entropy", inputs, cross_entropy, {"reduction": reduction}, constant=("target",))
    far = {"x": [[1000.0, -1000.0, 0.0], [-1e30, 0.0, 88.0]], "target": [1, 2]}
    golden.op(
        "cross_entropy of large numbers",
        "cross_entropy",
        far,
        lambda x, target: F.cross_entropy(x, target.long()),
        {"reduction": "mean"},
        constant=("target",),
    )
    return golden


# ---- Optimizers and schedules


STEPS = 20


def optim() -> Golden:
    """`given/p0`, ... are parameters, `given/g0`, ... [steps, ...] gradients; `case/t0`, ... [steps, ...]
    are the parameters after every step. `case/rates` are the learning rates of steps 0, 1, ..."""
    golden = Golden("optim")
    shapes = [(3,), (4, 5), (2, 3, 3, 3)]
    rng = golden.rng("gradients")
    start = [f32(rng.standard_normal(shape)) for shape in shapes]
    # Sizes over eight orders of magnitude, so that eps matters here and the second moment there; some are 0.
    sizes = [10.0 ** rng.uniform(-7, 1, shape) for shape in shapes]
    gradients = [
        f32(rng.standard_normal((STEPS, *shape)) * size) for shape, size in zip(shapes, sizes, strict=True)
    ]
    gradients[0][5:8] = 0
    gradients[1][:, 0] = 0
    golden.put(
        "given",
        "given",
        {},
        {**{f"p{i}": p for i, p in enumerate(start)}, **{f"g{i}": g for i, g in enumerate(gradients)}},
    )

    def case(name: str, make: type[torch.optim.Optimizer], **options) -> None:
        parameters = [nn.Parameter(torch.tensor(p, dtype=torch.float64)) for p in start]
        optimizer = make(parameters, **options)
        trajectories = [[] for _ in shapes]
        for step in range(STEPS):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = torch.tensor(gradient[step], dtype=torch.float64)
            optimizer.step()
            for trajectory, parameter in zip(trajectories, parameters, strict=True):
                trajectory.append(parameter.detach().clone())
        tensors = {f"t{i}": torch.stack(trajectory) for i, trajectory in enumerate(trajectories)}
        golden.put(name, make.__name__.lower(), options, tensors)

    case("adam", torch.optim.Adam, lr=1e-3)
    case("adam betas and eps", torch.optim.Adam, lr=3e-3, betas=(0.8, 0.99), eps=1e-4)
    case("adam weight_decay", torch.optim.Adam, lr=1e-3, weight_decay=0.01)
    case("adamw", torch.optim.AdamW, lr=1e-3)
    case("adamw weight_decay", torch.optim.AdamW, lr=3e-3, weight_decay=0.3, betas=(0.8, 0.99))
    case("sgd", torch.optim.SGD, lr=1e-2)
    case("sgd momentum", torch.optim.SGD, lr=1e-2, momentum=0.9)
    case("sgd momentum weight_decay", torch.optim.SGD, lr=1e-2, momentum=0.9, weight_decay=0.01)
    case("sgd nesterov", torch.optim.SGD, lr=1e-2, momentum=0.9, nesterov=True)
    case(
        "sgd nesterov weight_decay", torch.optim.SGD, lr=1e-2, momentum=0.9, nesterov=True, weight_decay=0.01
    )

    def schedule(name: str, make: type[torch.optim.lr_scheduler.LRScheduler], lr: float, **options) -> None:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
        scheduler = make(optimizer, **options)
        rates = []
        for _ in range(STEPS + 1):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        golden.put(name, make.__name__, {"lr": lr, **options}, {"rates": rates})

    schedules = torch.optim.lr_scheduler
    schedule("step", schedules.StepLR, 1e-4, step_size=7, gamma=0.5)
    schedule("step every", schedules.StepLR, 1e-2, step_size=1, gamma=0.9)
    schedule("multistep", schedules.MultiStepLR, 2e-4, milestones=[3, 8, 15], gamma=0.5)
    schedule("cosine", schedules.CosineAnnealingLR, 1e-3, T_max=20)
    schedule("cosine eta_min", schedules.CosineAnnealingLR, 1e-3, T_max=20, eta_min=1e-6)
    return golden


# ---- EDSR (Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image Super-Resolution")

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's training pictures, in 0..1
RANGE = 255


class MeanShift(nn.Conv2d):
    """Adds `sign` times the mean colour, as a 1x1 convolution that is not trained."""

    def __init__(self, sign: int):
        super().__init__(3, 3, kernel_size=1)
        self.weight.data = torch.eye(3).view(3, 3, 1, 1)
        self.bias.data = sign * RANGE * torch.tensor(MEAN)
        self.requires_grad_(False)


class ResBlock(nn.Module):
    def __init__(self, channels: int, res_scale: float):
        super().__init__()
        self.body = nn.Sequential(conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels))
        self.res_scale = res_scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.res_scale * self.body(x)


class Edsr(nn.Module):
    """Pictures in 0..1 go in and come out; inside they are 0..255. Names are those of EDSR-PyTorch."""

    def __init__(self, blocks: int, channels: int, scale: int, res_scale: float):
        super().__init__()
        self.sub_mean = MeanShift(-1)
        self.add_mean = MeanShift(+1)
        self.head = nn.Sequential(conv3x3(3, channels))
        body = [ResBlock(channels, res_scale) for _ in range(blocks)]
        self.body = nn.Sequential(*body, conv3x3(channels, channels))
        # Times 4 is twice times 2.
        factors = [2] * int(math.log2(scale)) if scale != 3 else [3]
        upsampler = [
            layer for r in factors for layer in (conv3x3(channels, r * r * channels), nn.PixelShuffle(r))
        ]
        self.tail = nn.Sequential(nn.Sequential(*upsampler), conv3x3(channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        features = self.head(self.sub_mean(RANGE * x))
        return self.add_mean(self.tail(features + self.body(features))) / RANGE


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


def edsr() -> Golden:
    """`case/before/NAME` and `case/after/NAME` are weights before and after ten training steps."""
    golden = Golden("edsr")
    training_steps = 10
    learning_rate = 4e-3  # halves the loss in these few steps
    for scale, size, res_scale in ((2, 12, 1.0), (3, 8, 1.0), (4, 6, 0.1)):
        options = {"scale": scale, "blocks": 2, "channels": 8, "res_scale": res_scale}
        name = f"x{scale}"
        rng = golden.rng(name)
        model = Edsr(options["blocks"], options["channels"], scale, res_scale).double()
        for parameter, values in default_init(model, rng):
            parameter.data = torch.tensor(values, dtype=torch.float64)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        hr = waves(rng, (2, 3, size * scale, size * scale))
        lr = f32(F.avg_pool2d(torch.tensor(hr, dtype=torch.float64), scale))
        x, target = (torch.tensor(values, dtype=torch.float64) for values in (lr, hr))
        sr = model(x).detach()

        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        adam = torch.optim.Adam(parameters, lr=learning_rate)
        losses = []
        for _ in range(training_steps):
            adam.zero_grad()
            step_loss = F.l1_loss(model(x), target)
            step_loss.backward()
            adam.step()
            losses.append(step_loss.item())
        golden.put(
            name,
            "edsr",
            {**options, "lr": learning_rate},
            {
                "lr": lr,
                "hr": hr,
                "sr": sr,
                "losses": losses,
                **{f"before/{key}": value for key, value in before.items()},
                **{f"after/{key}": value for key, value in model.state_dict().items() if "mean" not in key},
            },
        )
    return golden


def default_init(model: nn.Module, rng: np.random.Generator) -> list[tuple[nn.Parameter, np.ndarray]]:
    """nn.Conv2d's own rule, uniform in +-1/sqrt(fan_in), but with NumPy's random numbers."""
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d) and not isinstance(m, MeanShift)]
    values = []
    for convolution in convolutions:
        bound = 1 / math.sqrt(convolution.weight[0].numel())
        for parameter in (convolution.weight, convolution.bias):
            values.append((parameter, f32(rng.uniform(-bound, bound, parameter.shape))))
    return values


def waves(rng: np.random.Generator, shape: tuple[int, int, int, int]) -> np.ndarray:
    """Pictures of three crossing waves per colour, in 0..1."""
    n, c, h, w = shape
    row, column = np.mgrid[0:h, 0:w] / max(h, w)
    image = np.zeros(shape)
    for at in np.ndindex(n, c):
        for _ in range(3):
            angle, frequency, phase = rng.uniform((0, 1, 0), (math.pi, 4, 2 * math.pi))
            along = row * math.cos(angle) + column * math.sin(angle)
            image[at] += np.sin(2 * math.pi * frequency * along + phase)
    return f32(0.5 + image / 6)


TOPICS = {
    f.__name__: f
    for f in (conv2d, conv_transpose2d, elementwise, reduce, layers, layout, resize, loss, optim, edsr, resnet)
}

if __name__ == "__main__":
    # One thread: sums in a fixed order.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for topic in sys.argv[1:] or TOPICS:
        if topic not in TOPICS:
            sys.exit(f"There is no topic {topic}; there are {', '.join(TOPICS)}.")
        TOPICS[topic]().save()
