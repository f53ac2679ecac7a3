/**
 * How much of `--max-memory` tiles may take. Two fifths of what the process does not hold yet stay free: JavaScript
 * collects what tiles and frames leave behind only now and then, and pictures are encoded at the end.
 *
 * @param mostBytes what the flag says; without it, the library's default holds.
 */
export function tileMemory(mostBytes: number | undefined): number | undefined {
  return mostBytes && Math.max(1, 0.6 * (mostBytes - process.memoryUsage.rss()));
}
