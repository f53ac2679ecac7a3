/**
 * Processor time in milliseconds that this process took for `body`, on all its threads. Tests that something "does not
 * take long" compare this, not the time on the clock: other programs on the same machine must not make them fail.
 * Limits are ten times what the work takes and more, and far below what it would take without the care that is tested.
 */
export async function cpuTime(body: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3;
}
