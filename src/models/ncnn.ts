/**
 * Which of this library's networks a network of ncnn is. ncnn has layers and no names that say what they are for: the
 * order of what they do tells the network, and the order of the convolutions their names.
 */
import type { NamedArray } from "../nn/module.ts";
import { firstOf } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { NcnnFile } from "../weights/ncnn-file.ts";
import type { Assumption } from "./architecture.ts";
import type { State } from "./state.ts";

/** The weights of a network by the names that PyTorch's files have. */
export interface NamedNetwork {
  readonly state: State;
  readonly assumptions: readonly Assumption[];
}

/** @throws DataError if it is none of the networks that are read from ncnn */
export function namedAsInPytorch({ tensors, operations }: NcnnFile, name: string): NamedNetwork {
  const convolutions = [...tensors.keys()]
    .filter((key) => key.endsWith(".weight"))
    .map((key) => key.slice(0, -".weight".length));
  for (const { pattern, names } of networks) {
    const match = pattern.exec(operations);
    if (!match) continue;
    const state = new Map<string, NamedArray>();
    const given = names(operations, convolutions.length);
    for (const [i, convolution] of convolutions.entries()) {
      for (const kind of ["weight", "bias"]) {
        const values = tensors.get(`${convolution}.${kind}`);
        if (values) state.set(`${given[i]}.${kind}`, values);
      }
    }
    checkUnshuffle(state, Number(match.groups?.unshuffle ?? 1), name);
    return { state: withActivations(state, tensors, operations), assumptions: shrunk(match.groups?.after) };
  }
  throw new DataError(
    `${name}: this ncnn network is none of those that are read from ncnn: Compact, SPAN and RRDBNet. Look for the ` +
      `model as .pth or safetensors. Its layers begin with ${firstOf(operations.split(" "), 12)}.`,
  );
}

interface KnownNetwork {
  readonly pattern: RegExp;
  /** The names of its convolutions in their order. */
  names(operations: string, convolutions: number): string[];
}

const dense = String.raw`(?:C3 R0\.2 K ){4}C3 \*0\.2 \+ `;

const networks: readonly KnownNetwork[] = [
  {
    // SRVGGNetCompact: convolutions with one activation, pixel shuffle, and the enlarged picture added. Files for x2
    // and x3 of Real-ESRGAN shrink the result of a network for x4.
    pattern: /^C3 (P|R[\d.]+) (?:C3 \1 )+C3 X(\d+) (?:N\2 )?\+(?: (?<after>[BL]0\.\d+))?$/,
    names: (_, count) => Array.from({ length: count }, (_, i) => `body.${2 * i}`),
  },
  {
    // In front of those for x2 and x1 is a pixel unshuffle.
    pattern: new RegExp(
      String.raw`^(?:U(?<unshuffle>\d+) )?C3 (?:(?:${dense}){3}\*0\.2 \+ )+C3 \+ (?:N2 C3 R0\.2 )*C3 R0\.2 C3$`,
    ),
    names(operations, count) {
      const ups = operations.split(" ").filter((word) => word === "N2").length;
      const inBlocks = count - 4 - ups;
      const dense = Array.from({ length: inBlocks }, (_, i) => {
        const [block, rest] = [Math.floor(i / 15), i % 15];
        return `body.${block}.rdb${Math.floor(rest / 5) + 1}.conv${(rest % 5) + 1}`;
      });
      const last = Array.from({ length: ups }, (_, i) => `conv_up${i + 1}`);
      return ["conv_first", ...dense, "conv_body", ...last, "conv_hr", "conv_last"];
    },
  },
  {
    // SPAN with its branches folded, which ncnn's converter does.
    pattern: /^(?:M - \*255 )?C3 (?:C3 S C3 S C3 G -0\.5 \+ \* )+C3 K C1 C3 X\d+$/,
    names: (_, count) => [
      "conv_1.eval_conv",
      ...Array.from(
        { length: count - 4 },
        (_, i) => `block_${Math.floor(i / 3) + 1}.c${(i % 3) + 1}_r.eval_conv`,
      ),
      "conv_2.eval_conv",
      "conv_cat",
      "upsampler.0",
    ],
  },
];

/** RRDBNet's file has the pixel unshuffle that the first convolution's channels stand for. */
function checkUnshuffle(state: State, unshuffle: number, name: string): void {
  const inputs = state.get("conv_first.weight")?.shape[1];
  const planes = state.get("conv_last.weight")?.shape[0];
  if (inputs === undefined || planes === undefined || inputs === planes * unshuffle ** 2) return;
  throw new DataError(
    `${name}: this is an RRDBNet of ncnn from ${inputs} channels to ${planes}, with a pixel unshuffle by ` +
      `${unshuffle} in front, and these do not fit each other. Look for the model as .pth or safetensors.`,
  );
}

/** The state with the slopes of Compact's activations, and with SPAN's tensor that says that nothing is subtracted. */
function withActivations(
  state: ReadonlyMap<string, NamedArray>,
  tensors: ReadonlyMap<string, NamedArray>,
  operations: string,
): State {
  const result = new Map(state);
  if (state.has("conv_cat.weight")) {
    if (!operations.startsWith("M ")) result.set("no_norm", { shape: [1], data: new Float32Array(1) });
    return result;
  }
  if (!state.has("body.0.weight")) return result;
  const slopes = [...tensors].filter(([key]) => key.endsWith(".slope")).map(([, values]) => values);
  const leak = Number(/ R([\d.]+)/.exec(operations)?.[1] ?? 0);
  const activations = [...state.keys()].filter((key) => key.endsWith(".weight")).length - 1;
  for (let i = 0; i < activations; i++) {
    // Leaky ReLU is PReLU with one slope for all channels.
    const all = { shape: [1], data: Float32Array.of(leak) };
    if (slopes.length > 0 || leak > 0) result.set(`body.${2 * i + 1}.weight`, slopes[i] ?? all);
  }
  return result;
}

/** What is left out of a file that makes the network's result smaller. */
function shrunk(after: string | undefined): Assumption[] {
  if (after === undefined) return [];
  const factor = Number(after.slice(1));
  return [
    {
      option: "scale",
      text:
        `the scale: the network's own, since the file resizes its result by ${factor} afterwards, which is ` +
        "left out",
    },
  ];
}
