/** What people hand in for a weight file and is none: mostly files of other programs. */
import { type FileKind, kindOf, otherFiles, START_LENGTH, standIns } from "../options/file-kinds.ts";
import { hexOf } from "../options/printable.ts";
import { bestFile } from "./run-files.ts";

const saveAgain = 'In Python, save its weights alone: torch.save(model.state_dict(), "net.pth").';
const otherProgram =
  "Look for the network as safetensors or as PyTorch's .pth, save it as one of these in the program that trained it, " +
  'or train one with "pixelgrad train".';
const kerasByPath =
  "Of Keras' files, Node reads ports of EDSR and SRCNN by their paths. To use one elsewhere, convert it: npx " +
  "pixelgrad convert net.h5 net.safetensors.";

/** The first character of a JSON object. */
const BRACE = 0x7b;

/** A network of another program. */
function of(program: string): Pick<FileKind, "what" | "remedy"> {
  return { what: `a network of ${program}`, remedy: otherProgram };
}

/** The first one that fits counts. */
const kinds: readonly FileKind[] = [
  ...standIns,
  {
    text: /^PK.*(?:\/data\/weights\/|serialized_exported)/,
    what: "a program of torch.export (.pt2)",
    remedy: saveAgain,
  },
  {
    text: /torch\.distributed\.checkpoint/,
    what: "a part of a distributed checkpoint of PyTorch",
    remedy: "In Python, join its files by dcp_to_torch_save.",
  },
  {
    bytes: /^504b0304/,
    text: /\bdata\.pkl/,
    what: "a PyTorch file (.pth, .pt, .ckpt: a zip archive)",
    remedy: "loadModel() and parseWeights() read it.",
  },
  {
    bytes: /^504b0304/,
    text: /metadata\.json|config\.json|model\.weights\.h5/,
    what: "a Keras network (.keras)",
    remedy: kerasByPath,
  },
  {
    bytes: /^504b0304.{44}0000/, // the first file in it has no name
    what: "a zip archive, as PyTorch's files are, and damaged",
    remedy: "Download or copy it again.",
  },
  {
    bytes: /^504b0[35]0[46]/,
    what: "a zip archive, and none of PyTorch's",
    remedy: "Unpack it, and give the weight file that is in it.",
  },
  {
    text: /^(?:sys_info|pickle|tensors|storages)\.{20}/,
    what: "a file of PyTorch before 0.1.10 (.pth: a tar archive)",
    remedy: 'In Python, write it anew: torch.save(torch.load("net.pth"), "new.pth").',
  },
  {
    bytes: /^800[2-5]/,
    extensions: /\.(?:pkl|pickle)$/i,
    what: "a Python pickle, and none that torch.save has written",
    remedy: saveAgain,
  },
  { bytes: /^080.12/, text: /coremltools/, extensions: /\.mlmodel$/i, ...of("Core ML (.mlmodel)") },
  {
    bytes: /^08..12/,
    text: /^.{0,40}(?:pytorch|onnx|tf2|keras|paddle|mxnet|cntk|caffe)/i,
    extensions: /\.onnx$/i,
    what: "an ONNX network (.onnx)",
    remedy: otherProgram,
  },
  {
    bytes: /^0a/,
    text: /^.{0,99}(?:Placeholder|Const|NoOp)/,
    extensions: /\.pb$/i,
    what: "a TensorFlow network (.pb)",
    remedy: otherProgram,
  },
  {
    bytes: /^89484446/,
    extensions: /\.(?:h5|hdf5)$/i,
    what: "an HDF5 file, as Keras writes (.h5)",
    remedy: kerasByPath,
  },
  {
    text: /^....TFL3/,
    extensions: /\.tflite$/i,
    what: "a TensorFlow Lite network (.tflite)",
    remedy: otherProgram,
  },
  { text: /^.NUMPY/, extensions: /\.np[yz]$/i, what: "a NumPy array (.npy)", remedy: saveAgain },
  { text: /^MATLAB 5/, extensions: /\.mat$/i, what: "a Matlab file (.mat)", remedy: otherProgram },
  { text: /"(?:modelTopology|weightsManifest)"/, ...of("TensorFlow.js (model.json)") },
  { text: /^model_checkpoint_path:/, ...of("TensorFlow (checkpoint)") },
  { extensions: /\.(?:index|meta|data-\d+-of-\d+)$/i, ...of("TensorFlow (.index, .data)") },
  { text: /^[.\s]*node\s*\{/, extensions: /\.pbtxt$/i, ...of("TensorFlow (.pbtxt)") },
  {
    text: /^[.\s]*(?:name:\s*"|layers?\s*\{|input:\s*")/,
    extensions: /\.prototxt$/i,
    ...of("Caffe (.prototxt)"),
  },
  { extensions: /\.caffemodel$/i, ...of("Caffe (.caffemodel)") },
  { bytes: /^12010{12}/, extensions: /\.params$/i, ...of("MXNet (.params)") },
  {
    text: /^[fp]trt/,
    extensions: /\.(?:engine|trt|plan)$/i,
    ...of("TensorRT, for one make of GPU (.engine)"),
  },
  { extensions: /\.mnn$/i, ...of("MNN (.mnn)") },
  { text: /^[.\s]*<\?xml.*?<net\s/, ...of("OpenVINO (.xml, .bin)") },
  {
    text: /^(?:.{12}|4.\d+.3.)V 1/,
    extensions: /\.t7$/i,
    ...of("Torch7, before PyTorch (.t7)"),
  },
  { extensions: /\.pd(?:params|model|iparams)$/i, ...of("PaddlePaddle") },
  { extensions: /\.(?:msgpack|orbax)$/i, ...of("Flax (.msgpack)") },
  { bytes: /^0{8}0[12]0{6}/, extensions: /\.weights$/i, ...of("Darknet (.weights)") },
  {
    text: /^(?:#!.{0,20}python|#.{0,20}coding|"""|import \w|from [\w.]+ import |class \w|def \w)/,
    extensions: /\.(?:py|ipynb)$/i,
    what: "a program in Python (.py), which may build a network and holds no weights",
    remedy: "Look for the weights beside it.",
  },
  { text: /^GGUF/, what: "a GGUF file", remedy: otherProgram },
  {
    // PNG, JPEG, WebP, GIF, BMP, TIFF
    bytes: /^(?:89504e47|ffd8ff|52494646.{8}57454250|47494638|424d|49492a00|4d4d002a)/,
    what: "a picture",
    remedy: "Give pictures as input; a method is a name or a weight file.",
  },
  {
    bytes: /^(?:efbbbf)?(?:20|09|0a|0d)*[57]b/,
    extensions: /\.json$/i,
    what: "a JSON text",
    remedy: `Give the weight file itself. In a run folder that is ${bestFile}.`,
  },
  ...otherFiles,
  {
    extensions: /\.(?:param|bin)$/i,
    what: "a part of a network of ncnn (.param, .bin), or a file of another program",
    remedy: "Put both parts into one folder, under the same name, and name one of them.",
  },
];

/** What to say of an ordinary text. */
const plainText: Omit<FileKind, "bytes"> = {
  what: "a text, and holds no weights",
  remedy: "Look for the weights beside it.",
};

/**
 * What to say of a file that is not safetensors: what else it is by its first bytes, or by the extension of `name`,
 * which is what the message calls it. Undefined for what looks like safetensors or is called so: it may be damaged.
 */
export function describeForeignFile(file: Uint8Array, name: string): string | undefined {
  if (looksLikeSafetensors(file)) return undefined;
  const kind = kindOf(file, name, kinds) ?? (isText(file) ? plainText : undefined);
  const isCalledSafetensors = /\.safetensors$|^the safetensors file$/i.test(name);
  if (kind === undefined && (file[8] === BRACE || isCalledSafetensors)) return undefined;
  const { what, remedy } = kind ?? {
    what: `no kind of file that is known here (its first bytes are ${hexOf(file.subarray(0, 12))})`,
    remedy:
      "Save the network as one of these in the program that trained it. If this should be one, download it again.",
  };
  return `${name}: this is ${what}, and a weight file (safetensors, or PyTorch's .pth) was wanted. ${remedy}`;
}

/** A length below 2^32, and the brace of a JSON object: also in a file that was cut short. */
function looksLikeSafetensors(file: Uint8Array): boolean {
  return file.length > 8 && file.subarray(4, 8).every((byte) => byte === 0) && file[8] === BRACE;
}

/** Nothing but ASCII, with white space. */
function isText(file: Uint8Array): boolean {
  return file
    .subarray(0, START_LENGTH)
    .every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13);
}
