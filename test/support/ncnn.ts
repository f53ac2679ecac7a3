/** Writes RRDBNet as ncnn has it: the text, and the weights. */
import type { RRDBNet } from "../../src/node.ts";

export interface NcnnParts {
  readonly text: string;
  readonly weights: Uint8Array;
}

export async function rrdbnetAsNcnn(model: RRDBNet, ups: number): Promise<NcnnParts> {
  const state = await model.stateDict();
  const { blocks } = model.options;
  const lines: string[] = [];
  const parts: Uint8Array[] = [];
  const line = (type: string, params = "") =>
    lines.push(`${type} layer${lines.length} 1 1 a b ${params}`.trim());
  const conv = (name: string, leaky = false) => {
    const [weight, bias] = ["weight", "bias"].map((kind) => state.get(`${name}.${kind}`)!);
    const activation = leaky ? " 9=2 -23310=1,2.000000e-01" : "";
    line("Convolution", `0=${bias.data.length} 1=3 4=1 5=1 6=${weight.data.length}${activation}`);
    parts.push(new Uint8Array(4)); // float32
    for (const { data } of [weight, bias]) parts.push(new Uint8Array(Float32Array.from(data).buffer));
  };
  line("Input", "0=0");
  conv("conv_first");
  for (let block = 0; block < blocks; block++) {
    for (const rdb of [1, 2, 3]) {
      for (const k of [1, 2, 3, 4, 5]) {
        conv(`body.${block}.rdb${rdb}.conv${k}`, k < 5);
        if (k < 5) line("Concat", "0=0");
      }
      line("Eltwise", "0=1 -23301=2,2.000000e-01,1.000000e+00");
    }
    line("BinaryOp", "0=2 1=1 2=0.2");
    line("BinaryOp", "0=0");
  }
  conv("conv_body");
  line("BinaryOp", "0=0");
  for (let up = 1; up <= ups; up++) {
    line("Interp", "0=1 1=2.000000e+00 2=2.000000e+00");
    conv(`conv_up${up}`, true);
  }
  conv("conv_hr", true);
  conv("conv_last");
  return { text: `7767517\n${lines.length} 99\n${lines.join("\n")}\n`, weights: Buffer.concat(parts) };
}

export const inOnePiece = ({ text, weights }: NcnnParts): Uint8Array =>
  Buffer.concat([Buffer.from(text, "latin1"), weights]);
