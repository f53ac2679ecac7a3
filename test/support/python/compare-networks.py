"""For each safetensors file of a folder that has a partner `NAME.pictures.safetensors` with `input` and `output`:
builds the network by examples/pytorch/networks.py, and prints the largest difference from that output, relative
to its largest value. Saves the network again as `NAME.again.safetensors`, and reads `NAME.pth` with
torch.load(weights_only=True), whose tensors must be the same, bit for bit; it writes them as `NAME.again.pth`."""

import json
from pathlib import Path
import sys

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[3] / "examples/pytorch"))
import networks

folder = Path(sys.argv[1])
differences = {}
for pictures in sorted(folder.glob("*.pictures.safetensors")):
    name = pictures.name.removesuffix(".pictures.safetensors")
    model, metadata = networks.load(folder / f"{name}.safetensors")
    cases = load_file(pictures)
    with torch.no_grad():
        got = model(cases["input"])
    want = cases["output"]
    assert got.shape == want.shape, (name, got.shape, want.shape)
    differences[name] = float((got - want).abs().max() / want.abs().max())
    networks.save(folder / f"{name}.again.safetensors", model, metadata)
    state = torch.load(folder / f"{name}.pth", weights_only=True)
    assert type(state).__name__ == "OrderedDict"
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[key]), (name, key)
    model.load_state_dict(state)
    torch.save(model.state_dict(), folder / f"{name}.again.pth")
print(json.dumps(differences))
