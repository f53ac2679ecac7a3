/**
 * What people hand in for a weight file and is none: files of other programs, and what comes in their place
 * when a download went wrong.
 */

interface Kind {
  /** The first bytes in hexadecimal. */
  readonly bytes?: RegExp;
  /** The first bytes as text; those that are no letters, digits or signs of ASCII are dots. */
  readonly text?: RegExp;
  /** Extensions that tell where the bytes do not. */
  readonly extensions?: RegExp;
  /** What it is, to follow "this is". */
  readonly what: string;
  readonly remedy: string;
}

const saveAgain = 'In Python, save its weights alone: torch.save(model.state_dict(), "net.pth").';
const otherProgram =
  "Files of that program cannot be read. Look for the network as safetensors or as PyTorch's .pth, or train one " +
  'with "pixelgrad train".';
const kerasByPath =
  "Of Keras' files, Node reads ports of EDSR and SRCNN by their paths. To use one elsewhere, convert it: npx " +
  "pixelgrad convert net.h5 net.safetensors.";
const fetchAgain = "Download the file itself.";

/** The first one that fits counts. */
const kinds: readonly Kind[] = [
  {
    bytes: /^$/,
    what: "an empty file, such as a full disk or a download that failed leaves",
    remedy: "Save or download it again.",
  },
  {
    text: /^version https:\/\/git-lfs\./,
    what: "a Git LFS pointer, which stands for the file",
    remedy: 'Get the file itself: by "git lfs pull" in its repository, or by its download link.',
  },
  {
    text: /^[.\s]*(?:<!--.*?-->[.\s]*)?<(?:!doctype html|html|head|body|script)\b/i,
    what: "a web page, such as one that asks to log in",
    remedy: fetchAgain,
  },
  { text: /^[.\s]*<\?xml/, what: "an XML text, such as a server's answer", remedy: fetchAgain },
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
    extensions: /\.(?:pth?|ckpt|pkl|pickle)$/i,
    what: "a Python pickle, and none that torch.save has written",
    remedy: saveAgain,
  },
  {
    bytes: /^08..12/,
    text: /^.{0,40}(?:pytorch|onnx|tf2|keras|paddle|mxnet|cntk|caffe)/i,
    extensions: /\.onnx$/i,
    what: "an ONNX network (.onnx)",
    remedy: otherProgram,
  },
  {
    extensions: /\.(?:param|bin)$/i,
    what: "a part of an ncnn network (.param, .bin)",
    remedy: "Put both parts into one folder, under the same name, and name one of them.",
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
  { text: /^GGUF/, what: "a GGUF file", remedy: otherProgram },
  {
    // gzip, 7z, RAR, xz, bzip2, Zstandard
    bytes: /^(?:1f8b|377abcaf|52617221|fd377a|425a68|28b52ffd)/,
    what: "a packed file",
    remedy: "Unpack it, and give the weight file that is in it.",
  },
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
    remedy: "Give the weight file itself. In a run folder that is best.safetensors.",
  },
];

/** How many bytes are looked at. */
const startLength = 4096;

/**
 * A message if a file is known to be something else than safetensors: by its first bytes, or else by the
 * extension of `name`, which is what the message calls it.
 */
export function describeForeignFile(file: Uint8Array, name: string): string | undefined {
  if (looksLikeSafetensors(file)) return undefined;
  const start = file.subarray(0, startLength);
  const bytes = Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = Array.from(start, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join(
    "",
  );
  const fits = ({ bytes: hexadecimal, text: letters }: Kind) =>
    (hexadecimal || letters) && (hexadecimal?.test(bytes) ?? true) && (letters?.test(text) ?? true);
  const kind = kinds.find(fits) ?? kinds.find(({ extensions }) => extensions?.test(name));
  return (
    kind &&
    `${name}: this is ${kind.what}, and a weight file (safetensors, or PyTorch's .pth) was wanted. ${kind.remedy}`
  );
}

/** A length below 2^32, and the brace of a JSON object: also in a file that was cut short. */
function looksLikeSafetensors(file: Uint8Array): boolean {
  return file.length > 8 && file.subarray(4, 8).every((byte) => byte === 0) && file[8] === 0x7b;
}
