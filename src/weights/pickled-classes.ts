/**
 * Classes whose objects training programs keep beside the weights: numbers of numpy, command lines, paths, times. Out
 * of a file they come as empty objects: nothing of them is computed, and weights are in dictionaries alone.
 */
import { Dict, type Name } from "./pickle.ts";

/** Names of classes, separated by spaces, by the module that they are in. */
type Names = Readonly<Record<string, string>>;

const scalars = "set frozenset tuple int float bool str bytearray complex";
const paths = "Path PosixPath WindowsPath PurePosixPath PureWindowsPath";

const opaque: Names = {
  numpy: "dtype ndarray",
  "numpy.core.multiarray": "scalar",
  "numpy._core.multiarray": "scalar",
  argparse: "Namespace",
  types: "SimpleNamespace",
  pathlib: paths,
  "pathlib._local": paths,
  datetime: "datetime date time timedelta timezone",
  collections: "Counter",
  builtins: scalars,
  __builtin__: scalars,
  _codecs: "encode", // bytes, in files of Python 3 for Python 2
  torch: "Tensor device",
  "torch.nn.parameter": "Parameter Buffer",
};

/** An array of numpy, of which no more is known. */
export class NumpyArray {}

const arrays: Names = { "numpy.core.multiarray": "_reconstruct", "numpy._core.multiarray": "_reconstruct" };

/** Weights may be in these. */
const dictionaries: Names = {
  collections: "defaultdict",
  typing: "OrderedDict",
  builtins: "dict",
  __builtin__: "dict",
  "pytorch_lightning.utilities.parsing": "AttributeDict",
  "lightning.pytorch.utilities.parsing": "AttributeDict",
};

const lists: Names = { collections: "deque", builtins: "list", __builtin__: "list" };

const called = (names: Names, call: () => unknown): Name[] =>
  Object.entries(names).flatMap(([module, list]) =>
    list.split(" ").map((name) => ({ name: `${module}.${name}`, call })),
  );

export const pickledClasses: readonly Name[] = [
  ...called(opaque, () => null),
  ...called(arrays, () => new NumpyArray()),
  ...called(dictionaries, () => new Dict()),
  ...called(lists, () => []),
];
