/** What makers say that their cards reach. */

export interface Card {
  readonly card: string;
  /** Float32 multiply-adds outside of tensor cores, in floating-point operations per second. */
  readonly flops: number;
  readonly source: string;
}

/** Only figures that stand in a maker's data sheet. `pattern` meets the adapter's name. */
const cards: readonly (Card & { readonly pattern: RegExp })[] = [
  {
    pattern: /h100[- ]80gb[- ]hbm3/i,
    card: "NVIDIA H100 SXM",
    flops: 67e12,
    source: "NVIDIA's data sheet of the H100",
  },
  // The NVL is another card.
  {
    pattern: /h200(?!.*nvl)/i,
    card: "NVIDIA H200 SXM",
    flops: 67e12,
    source: "NVIDIA's data sheet of the H200",
  },
];

/** Undefined for cards whose data sheet is not in the list. */
export function cardOf(adapterName: string): Card | undefined {
  const found = cards.find(({ pattern }) => pattern.test(adapterName));
  return found && { card: found.card, flops: found.flops, source: found.source };
}
