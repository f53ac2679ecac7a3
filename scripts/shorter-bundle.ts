/**
 * What a bundle for browsers need not load: comments of kernels, which are for readers (`// @if` and `// @unroll` are
 * none), and the recognition of Keras' files, which Node alone can read.
 */
export function shorterBundle() {
  return {
    name: "shorter-bundle",
    load: (id: string) =>
      /\/models\/keras\.[jt]s$/.test(id) ? "export const recognizeKeras = () => undefined;" : undefined,
    transform(code: string, id: string) {
      if (!/\/(?:src|dist)\/kernels\//.test(id)) return undefined;
      return { code: code.replace(/ *\/\/ (?!@).*$/gm, "").replace(/\n{2,}/g, "\n"), map: null };
    },
  };
}
