"""Trains a network of pixelgrad with PyTorch, on one device or many, from weights that pixelgrad has written.

    pip install torch safetensors pillow numpy
    torchrun --nproc-per-node 2 train.py --init edsr-x2.safetensors --data photos --out tuned.safetensors
    pixelgrad evaluate --hr Set5/HR -m tuned.safetensors

Each process computes its own batch, and PyTorch's DistributedDataParallel averages their gradients after every
step, so that all keep the same weights. Processes take a GPU each and talk by NCCL; without GPUs they run on
the processor and talk by gloo. Without torchrun, the program is a single process.

Pictures are those of folders, in RGB of 8 bits, upright, and on white where they are transparent, as pixelgrad
reads them. LR pictures are made from them as Matlab's imresize would; those that you made otherwise are in --low,
under the same names: 1.png, or several as 1~0.png, 1~1.png. Where a.png and a.jpg are there, a.png~0.png is LR of
the first.

Every few minutes the weights go to --out, and all that --resume needs to go on to a file beside it.
"""

import argparse
from collections import Counter
import copy
import io
import json
import math
import os
from pathlib import Path
import time

import numpy
from PIL import Image, ImageCms, ImageOps
import torch
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import networks

EXTENSIONS = set(
    ".png .apng .jpg .jpeg .jpe .jfif .webp .tif .tiff .avif .gif .bmp .dib .ppm .pgm .pbm .pnm".split()
)
# Their samples count as they are stored; those of others are brought to sRGB if they have a profile.
STORED = {"PNG", "TIFF", "BMP", "PPM"}


# ---- Pictures


def pictures_in(folder):
    """Its pictures. Hidden files are none, such as the "._a.png" that macOS leaves beside an "a.png"."""
    paths = sorted(Path(folder).iterdir())
    return [p for p in paths if p.suffix.lower() in EXTENSIONS and p.is_file() and not p.name.startswith(".")]


def read(path):
    """A picture as pixelgrad reads it, as a tensor [3, h, w] of bytes."""
    try:
        with Image.open(path) as image:
            return torch.from_numpy(rgb_of(ImageOps.exif_transpose(image), image.format)).permute(2, 0, 1)
    except (OSError, SyntaxError, ValueError, ImageCms.PyCMSError) as error:
        raise SystemExit(f"{path}: cannot be read: {error}")


def rgb_of(image, kind):
    """An array [h, w, 3] of bytes: the upper 8 of 16 bits, and transparent pictures on white."""
    if image.mode.startswith("I"):  # 16 bits, in 16 or 32
        grey = (numpy.array(image).astype(numpy.int64) >> 8).clip(0, 255).astype(numpy.uint8)
        return numpy.repeat(grey[..., None], 3, 2)
    if image.mode in ("F", "CMYK", "LAB") and (image.mode == "F" or "icc_profile" not in image.info):
        raise ValueError(f"its mode is {image.mode}; convert it to RGB first")
    if "icc_profile" in image.info and kind not in STORED and image.mode in ("RGB", "CMYK"):
        profile = io.BytesIO(image.info["icc_profile"])
        image = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if not image.has_transparency_data:
        return numpy.array(image.convert("RGB"))
    rgba = numpy.array(image.convert("RGBA")).astype(numpy.float64)
    alpha = rgba[..., 3:] / 255
    return (alpha * rgba[..., :3] + (1 - alpha) * 255 + 0.5).astype(numpy.uint8)


def names_of(paths):
    """What LR pictures are called by: a name without extension, or the whole where several have the same."""
    stems = Counter(path.stem for path in paths)
    return [path.stem if stems[path.stem] == 1 else path.name for path in paths]


def open_pairs(folders, model, low_folder=None):
    """LR and HR pictures of folders, as tensors [3, h, w] of bytes. HR loses what is no multiple of the scale.
    With a folder of LR pictures, only pictures that have some there."""
    paths = [path for folder in folders for path in pictures_in(folder)]
    if not paths:
        raise SystemExit(f"{', '.join(folders)}: there are no pictures in it.")
    s = model.scale
    names = names_of(paths)
    lows = lows_of(paths, low_folder) if low_folder else {}
    pairs = []
    for path, name in zip(paths, names):
        if low_folder and name not in lows:
            continue
        image = read(path)
        high = image[:, : image.shape[1] // s * s, : image.shape[2] // s * s].contiguous()
        if not low_folder:
            pairs.append((shrink(high, s), high))
        for low in lows.get(name, []):
            image = read(low)
            if [s * side for side in image.shape[1:]] != list(high.shape[1:]):
                raise SystemExit(f"{low} is no LR picture of {path} at x{s}: {image.shape[2]}x{image.shape[1]}.")
            pairs.append((image, high))
    if not pairs:
        raise SystemExit(f"{low_folder}: no picture in it is called as one of {', '.join(folders)}.")
    return pairs


def lows_of(paths, folder):
    """The LR pictures of a folder by the names of HR pictures: NAME.png, or several as NAME~0.png, NAME~1.png."""
    names = Counter(names_of(paths))
    stems = Counter(path.stem for path in paths)
    lows = {}
    for path in pictures_in(folder):
        for name in (path.stem, path.stem.rpartition("~")[0]):
            if max(names[name], stems[name]) > 1:
                raise SystemExit(f"{path} may be LR of several pictures, which are called {name}. Rename them.")
            if names[name]:
                lows.setdefault(name, []).append(path)
                break
    return lows


def shrink(image, scale):
    """Matlab's bicubic imresize of bytes: mirrored edges, rows first, rounded after each direction."""
    if scale == 1:
        return image
    x = image.float().unsqueeze(0)
    for axis in (2, 3):
        margin = min(4 * scale, x.shape[axis])
        first, last = x.narrow(axis, 0, margin), x.narrow(axis, x.shape[axis] - margin, margin)
        wide = torch.cat([first.flip(axis), x, last.flip(axis)], axis)
        size = [side // scale if a == axis else side for a, side in enumerate(wide.shape)][2:]
        wide = F.interpolate(wide, size=size, mode="bicubic", antialias=True)
        x = wide.narrow(axis, margin // scale, x.shape[axis] // scale).round().clamp(0, 255)
    return x.squeeze(0).byte()


def luma(rgb):
    """BT.601 in studio range, in 0..1, as pixelgrad's networks for luma take it."""
    red, green, blue = rgb.unbind(-3)
    return ((65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255).unsqueeze(-3)


def as_network_takes_it(low, model):
    """Bytes [n, 3, h, w] as the network's input."""
    x = low.float() / 255
    if model.colors == "y":
        x = luma(x)
    return networks.enlarge(x, model.scale) if model.input_size == "high" else x


def batches(pairs, count, patch, model, generator):
    """Batches for ever: input and wanted result, of patches in all flips and quarter turns."""
    s = model.scale
    large_enough = [pair for pair in pairs if min(pair[0].shape[1:]) >= patch]
    if not large_enough:
        raise SystemExit(f"No picture has {patch * s} pixels on both sides; take a smaller --patch.")

    def draw(end):
        return int(torch.randint(end, (1,), generator=generator))

    while True:
        lows, highs = [], []
        for _ in range(count):
            low, high = large_enough[draw(len(large_enough))]
            top, left = (draw(size - patch + 1) for size in low.shape[1:])
            turns, flips = draw(4), draw(2)
            for image, r, patches in ((low, 1, lows), (high, s, highs)):
                crop = image[:, r * top : r * (top + patch), r * left : r * (left + patch)]
                turned = torch.rot90(crop, turns, (1, 2))
                patches.append(turned.flip(2) if flips else turned)
        wanted = torch.stack(highs).float() / 255
        yield as_network_takes_it(torch.stack(lows), model), wanted if model.colors == "rgb" else luma(wanted)


# ---- Training


def begin(path, scale):
    """A network with the weights of a file. For another scale, the layers that do not fit begin anew."""
    model, metadata = networks.load(path)
    if scale in (None, model.scale):
        return model, metadata
    metadata = {**metadata, "scale": str(scale)}
    other = networks.build(metadata)
    own = other.state_dict()
    theirs = model.state_dict()
    fitting = {name: value for name, value in theirs.items() if own[name].shape == value.shape}
    other.load_state_dict({**own, **fitting})
    return other, metadata


def rate(step, args):
    """Rises over `warmup` steps, stays, and falls to 0 over the last ones as a cosine."""
    start = args.hold * args.steps
    fall = (step - start) / (args.steps - start) if step > start else 0
    return args.lr * min(1, (step + 1) / (args.warmup + 1)) * (1 + math.cos(math.pi * fall)) / 2


@torch.no_grad()
def follow(average, model, decay, step):
    """Moves the average of the weights a little; further at first, when they change quickly."""
    decay = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.parameters(), model.parameters()):
        mean.lerp_(value, 1 - decay)


@torch.no_grad()
def measure(model, pairs, device):
    """The mean PSNR of pictures on Y, in dB, as papers measure it. Those without any error, such as blank ones,
    do not count; where there is no other, it is infinite."""
    border, decibels = model.scale, []
    for low, high in pairs:
        result = model(as_network_takes_it(low.unsqueeze(0).to(device), model)).clamp(0, 1).cpu()
        wanted = high.unsqueeze(0).float() / 255
        ours, theirs = (
            (255 * (luma(y) if y.shape[1] == 3 else y)).round()
            for y in ((255 * result).round() / 255, luma(wanted) if model.colors == "y" else wanted)
        )
        inner = (ours - theirs)[..., border:-border, border:-border]
        error = inner.square().mean().item()
        if error > 0:
            decibels.append(10 * math.log10(255**2 / error))
    return sum(decibels) / len(decibels) if decibels else math.inf


def settings(args, metadata):
    """How the weights were made, for their file: folders by their names alone, as paths mean nothing elsewhere."""
    folders = {"data": [Path(folder).name for folder in args.data], "init": Path(args.init).name}
    for name in ("valid", "low", "valid_low"):
        if getattr(args, name):
            folders[name] = Path(getattr(args, name)).name
    others = {key: value for key, value in vars(args).items() if key not in ("out", "resume", "log_every")}
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    network = {"architecture": metadata["architecture"], **networks.options(metadata)}
    return {"trainer": "examples/pytorch/train.py", "network": network, **others, **folders, "processes": processes}


def write(path, save):
    """Another file first: the old one is whole until the new one is."""
    save(f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def share(text):
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"wants a share of 0 to 1, got {text}")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--init", required=True, help="weights to begin from, a safetensors file of pixelgrad's")
    parser.add_argument("--scale", type=int, help="train for this scale instead of the one of --init")
    parser.add_argument("--data", required=True, nargs="+", help="folders of pictures")
    parser.add_argument("--low", help="a folder of LR pictures, called as those of --data")
    parser.add_argument("--valid-low", help="a folder of LR pictures, called as those of --valid")
    parser.add_argument("--valid", help="a folder of pictures to measure on when weights are saved")
    parser.add_argument("--out", required=True, help="where the trained weights go")
    parser.add_argument("--resume", action="store_true", help="go on from what was saved beside --out, if anything")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8, help="patches of a step in each process")
    parser.add_argument("--patch", type=int, default=48, help="side of an LR patch in pixels")
    parser.add_argument("--lr", type=float, default=1e-4, help="the learning rate at first; it falls to 0")
    parser.add_argument("--warmup", type=int, default=0, help="steps over which the rate first rises")
    parser.add_argument("--hold", type=share, default=0, help="share of the steps before the rate begins to fall")
    parser.add_argument("--loss", choices=["l1", "l2"], default="l1")
    parser.add_argument("--ema", type=float, help="save the weights' moving average, with this decay: 0.999")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16: faster, a little less exact")
    parser.add_argument("--minutes", type=float, default=10, help="minutes between savings")
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    processes = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local_rank = (int(os.environ.get(name, "0")) for name in ("RANK", "LOCAL_RANK"))
    gpus = torch.cuda.is_available()
    device = torch.device("cuda", local_rank) if gpus else torch.device("cpu")
    if gpus:
        torch.cuda.set_device(device)
    if processes > 1:
        distributed.init_process_group("nccl" if gpus else "gloo")

    model, metadata = begin(args.init, args.scale)
    metadata = {**metadata, "config": json.dumps(settings(args, metadata))}
    # Channels beside each other: convolutions are faster so.
    model.to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=args.lr)
    state_file, first = f"{args.out}.state", 0
    if args.resume and os.path.exists(state_file):
        saved = torch.load(state_file, map_location=device)
        first = saved["step"]
        networks.restore(model, saved["model"])
        networks.restore(average, saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
    trained = model
    if processes > 1:
        trained = DistributedDataParallel(model, device_ids=[local_rank] if gpus else None)
    loss_of = F.l1_loss if args.loss == "l1" else F.mse_loss

    # Every process draws other patches, and after a resume others than at first.
    generator = torch.Generator().manual_seed((args.seed * processes + rank) * 1_000_000_007 + first)
    source = batches(open_pairs(args.data, model, args.low), args.batch, args.patch, model, generator)
    valid = open_pairs([args.valid], model, args.valid_low) if args.valid and rank == 0 else []
    start = saved_at = time.monotonic()

    def save(step):
        best_known = average if args.ema else model
        write(args.out, lambda path: networks.save(path, best_known, {**metadata, "step": str(step)}))
        parts = {"model": model, "average": average, "optimizer": optimizer}
        state = {"step": step, **{name: part.state_dict() for name, part in parts.items()}}
        write(state_file, lambda path: torch.save(state, path))
        if valid:
            psnr = measure(best_known, valid, device)
            print(f"step {step}: {psnr:.3f} dB", flush=True)
            with open(f"{args.out}.log.jsonl", "a") as log:
                shown = round(psnr, 4) if math.isfinite(psnr) else None  # JSON has no infinity
                print(json.dumps({"step": step, "psnr": shown, "lr": rate(step, args)}), file=log)

    for step in range(first, args.steps):
        optimizer.param_groups[0]["lr"] = rate(step, args)
        x, wanted = (
            part.to(device, non_blocking=True, memory_format=torch.channels_last) for part in next(source)
        )
        with torch.autocast(device.type, torch.bfloat16, enabled=args.bf16):
            y = trained(x)
        loss = loss_of(y.float(), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if args.ema:
            follow(average, model, args.ema, step)
        done = step + 1
        if done % args.log_every == 0 or done == args.steps:
            mean = loss.detach() / processes
            if processes > 1:
                distributed.all_reduce(mean)
            if rank == 0:
                seconds = time.monotonic() - start
                print(f"step {done} of {args.steps}, loss {mean.item():.5f}, {seconds:.1f} s", flush=True)
        if rank == 0 and (time.monotonic() - saved_at > 60 * args.minutes or done == args.steps):
            save(done)
            saved_at = time.monotonic()

    if rank == 0:
        print(f"{processes} {'process' if processes == 1 else 'processes'} on {device.type}: {args.out}")
    if processes > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
