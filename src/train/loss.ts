/** The loss of a training run as a text: "l1", or a weighted sum such as "l1+0.1*ssim". */
import { add, charbonnierLoss, fftLoss, l1Loss, mseLoss, mul, ssimLoss, type Tensor } from "../node.ts";
import { type Kind, quote } from "../options/kinds.ts";

const losses = { l1: l1Loss, l2: mseLoss, charbonnier: charbonnierLoss, ssim: ssimLoss, fft: fftLoss };

interface Term {
  readonly name: keyof typeof losses;
  readonly weight: number;
}

export const lossKind: Kind<string> = {
  wants: `${Object.keys(losses).join(", ")}, or a sum such as l1+0.1*ssim`,
  symbol: "LOSS",
  fits: (value): value is string => typeof value === "string" && parse(value) !== undefined,
  read: (text) => text,
  write: String,
};

/** The parts of a loss. @throws RangeError for a text that is none */
export function termsOf(text: string): readonly Term[] {
  const terms = parse(text);
  if (terms) return terms;
  throw new RangeError(`loss wants ${lossKind.wants}, got ${quote(text)}.`);
}

/** A loss as a function of a result and its target, whose value has the shape []. */
export function lossFunction(text: string): (x: Tensor, target: Tensor) => Tensor {
  const terms = termsOf(text);
  return (x, target) =>
    terms
      .map(({ name, weight }) => {
        const loss = losses[name](x, target);
        return weight === 1 ? loss : mul(loss, weight);
      })
      .reduce((sum, loss) => add(sum, loss));
}

/** The terms of a loss; undefined for a text that is none. A name occurs once. */
function parse(text: string): Term[] | undefined {
  const terms = text.split("+").map((part): Term | undefined => {
    const [, weight = "1", name] = /^(?:([0-9.]+)\*)?([a-z0-9]+)$/.exec(part) ?? [];
    return isLoss(name) && Number(weight) > 0 ? { name, weight: Number(weight) } : undefined;
  });
  const all = terms.filter((term) => term !== undefined);
  return all.length === terms.length && new Set(all.map(({ name }) => name)).size === all.length
    ? all
    : undefined;
}

const isLoss = (name: string | undefined): name is Term["name"] =>
  name !== undefined && Object.hasOwn(losses, name);
