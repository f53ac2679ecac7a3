/** A variable of the environment, if it is set and not empty. Browsers have no `process`. */
export function environment(variable: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[variable] || undefined;
}
