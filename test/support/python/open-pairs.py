"""Prints the pairs of a folder of HR and one of LR pictures as examples/pytorch/train.py opens them: their means."""

import json
from pathlib import Path
import sys
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[3] / "examples/pytorch"))
import train

high, low, scale = sys.argv[1:]
pairs = train.open_pairs([high], SimpleNamespace(scale=int(scale)), low)
print(json.dumps([[part.tolist() for part in pair] for pair in pairs]))
