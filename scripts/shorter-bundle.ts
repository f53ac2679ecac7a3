/**
 * What a bundle for browsers need not load: comments of kernels, which are for readers (those that begin with @ are
 * none) and most of their indentation, and the recognition of Keras' files, which Node alone can read.
 */
export function shorterBundle() {
  return {
    name: "shorter-bundle",
    load: (id: string) =>
      /\/models\/keras\.[jt]s$/.test(id) ? "export const recognizeKeras = () => undefined;" : undefined,
    transform(code: string, id: string) {
      if (!/\/(?:src|dist)\/kernels\//.test(id)) return undefined;
      const short = code.replace(/ *\/\/ (?!@).*$/gm, "").replace(/\n{2,}/g, "\n");
      // Half the indentation, as `// @unroll` tells loops' ends by theirs.
      return { code: short.replace(/^(?: {2})+/gm, (spaces) => " ".repeat(spaces.length / 2)), map: null };
    },
  };
}
