"""Trains a network of pixelgrad with PyTorch, on one device or many, from weights that pixelgrad has written.

    pip install torch safetensors pillow numpy
    torchrun --nproc-per-node 2 train.py --init edsr-x2.safetensors --data photos --out tuned.safetensors
    pixelgrad evaluate --hr Set5/HR -m tuned.safetensors

Each process computes its own batch, and PyTorch's DistributedDataParallel averages their gradients after every
step, so that all keep the same weights. Processes take a GPU each and talk by NCCL; without GPUs they run on
the processor and talk by gloo. Without torchrun, the program is a single process.

Pictures are those of a folder, in RGB. LR patches are made from them by bicubic interpolation with antialiasing,
which differs from Matlab's (pixelgrad's) by less than a level. To train on LR pictures of your own, change
`pairs`, the only function that knows where patches come from.
"""

import argparse
import os
from pathlib import Path
import time

import numpy
from PIL import Image
import torch
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import networks

EXTENSIONS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


def pictures(folder):
    """The folder's pictures as tensors [3, h, w] of bytes."""
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in EXTENSIONS)
    if not paths:
        raise SystemExit(f"{folder}: there are no pictures in it.")
    return [torch.from_numpy(numpy.array(Image.open(path).convert("RGB"))).permute(2, 0, 1) for path in paths]


def luma(rgb):
    """BT.601 in studio range, in 0..1, as pixelgrad's networks for luma take it."""
    red, green, blue = rgb.unbind(-3)
    return ((65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255).unsqueeze(-3)


def pairs(images, batch, patch, model, generator):
    """Batches for ever: LR patches [batch, c, patch, patch] and what they come from, values in 0..1."""
    scale, side = model.scale, patch * model.scale
    large_enough = [image for image in images if min(image.shape[1:]) >= side]
    if not large_enough:
        raise SystemExit(f"No picture has {side} pixels on both sides; take a smaller --patch.")

    def draw(end):
        return int(torch.randint(end, (1,), generator=generator))

    while True:
        crops = []
        for _ in range(batch):
            image = large_enough[draw(len(large_enough))]
            top, left = (draw(size - side + 1) for size in image.shape[1:])
            crop = image[:, top : top + side, left : left + side]
            crops.append(torch.rot90(crop, draw(4), (1, 2)))
        high = torch.stack(crops).float() / 255
        low = F.interpolate(high, scale_factor=1 / scale, mode="bicubic", antialias=True)
        low = (255 * low).round().clamp(0, 255) / 255  # as it would be in a file
        if model.input_size == "high":
            low = networks.enlarge(low, scale)
        yield (low, high) if model.colors == "rgb" else (luma(low), luma(high))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--init", required=True, help="weights to begin from, a safetensors file of pixelgrad's")
    parser.add_argument("--data", required=True, help="a folder of pictures")
    parser.add_argument("--out", required=True, help="where the trained weights go")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8, help="patches of a step in each process")
    parser.add_argument("--patch", type=int, default=48, help="side of an LR patch in pixels")
    parser.add_argument("--lr", type=float, default=1e-4, help="the learning rate at first; it falls to 0")
    parser.add_argument("--loss", choices=["l1", "l2"], default="l1")
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

    model, metadata = networks.load(args.init)
    model.to(device)
    trained = model
    if processes > 1:
        trained = DistributedDataParallel(model, device_ids=[local_rank] if gpus else None)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=args.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    loss_of = F.l1_loss if args.loss == "l1" else F.mse_loss
    # Every process draws other patches.
    generator = torch.Generator().manual_seed(args.seed * processes + rank)
    batches = pairs(pictures(args.data), args.batch, args.patch, model, generator)

    start = time.monotonic()
    for step in range(1, args.steps + 1):
        low, high = (tensor.to(device, non_blocking=True) for tensor in next(batches))
        loss = loss_of(trained(low), high)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 10 == 0 or step == args.steps:
            mean = loss.detach() / processes
            if processes > 1:
                distributed.all_reduce(mean)
            if rank == 0:
                seconds = time.monotonic() - start
                print(f"step {step} of {args.steps}, loss {mean.item():.5f}, {seconds:.1f} s", flush=True)

    if rank == 0:
        # Another file first: the old one is whole until the new one is.
        temporary = f"{args.out}.tmp"
        networks.save(temporary, model, metadata)
        os.replace(temporary, args.out)
        print(f"{processes} {'process' if processes == 1 else 'processes'} on {device.type}: {args.out}")
    if processes > 1:
        distributed.destroy_process_group()


main()
