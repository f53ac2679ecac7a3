"""Checks every ONNX file of a folder, runs it on the pictures in the safetensors file of its name, and prints
the largest differences from the results that lie beside them, relative to the largest value."""

import json
from pathlib import Path
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

differences = {}
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    cases = load_file(path.with_suffix(".safetensors"))
    worst = 0.0
    for i in range(sum(name.startswith("input") for name in cases)):
        (got,) = session.run(["output"], {"input": cases[f"input {i}"]})
        want = cases[f"output {i}"]
        assert got.shape == want.shape, (path.name, got.shape, want.shape)
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    differences[path.stem] = worst
print(json.dumps(differences))
