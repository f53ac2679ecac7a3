/**
 * What to say in Node where only browsers can help: a bundler or a test runner has taken the half of the library that
 * is for them. Undefined in browsers, which all have createImageBitmap, with Node's `process` in them or not.
 */
export function adviceInNode(): string | undefined {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (!process?.versions?.node || "createImageBitmap" in globalThis) return undefined;
  return (
    "This is the half of pixelgrad for browsers, and the program runs in Node. Leave the package out of its bundle " +
    '(esbuild: --external:pixelgrad), or give your bundler or test runner the condition "node".'
  );
}

/** A variable of the environment, if it is set and not empty. Browsers have no `process`. */
export function environment(variable: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[variable] || undefined;
}
