/**
 * libvips keeps one list of messages for the whole process. An error takes all that stand there, and everything
 * that ends clears them, so that a picture gets the words of another one that is decoded at the same time. Words for
 * people come from a second try, alone in its thread; and little is decided by them, since other threads of the process,
 * and programs that use sharp themselves, share the list, too.
 */

const underWay = new Set<Promise<unknown>>();
/** The end of what runs alone. */
let last: Promise<unknown> | undefined;

/** Runs a task of libvips with others, but not while one runs alone. It must not contain another one. */
export async function withOthers<T>(task: () => Promise<T>): Promise<T> {
  while (last) await last;
  const run = task();
  underWay.add(run);
  try {
    return await run;
  } finally {
    underWay.delete(run);
  }
}

/** Runs a task that failed once more, alone: for an error in its own words, or because the first was not its own. */
export async function alone<T>(task: () => Promise<T>): Promise<PromiseSettledResult<T>> {
  while (last) await last;
  const run = Promise.allSettled(underWay).then(() => Promise.allSettled([task()]));
  last = run;
  try {
    return (await run)[0];
  } finally {
    last = undefined;
  }
}
