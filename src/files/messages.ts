/**
 * libvips keeps one list of messages for the whole process. An error takes all that stand there, and everything
 * that ends clears them, so that a picture gets the words of another one that is decoded at the same time. Words for
 * people come from a second try, alone; and nothing is decided by them, since other threads of the process, and
 * programs that use sharp themselves, share the list, too.
 */

const underWay = new Set<Promise<unknown>>();
/** The end of what runs alone. */
let alone: Promise<unknown> | undefined;

/** Runs a task of libvips with others, but not while one runs alone. */
export async function withOthers<T>(task: () => Promise<T>): Promise<T> {
  while (alone) await alone;
  const run = task();
  underWay.add(run);
  try {
    return await run;
  } finally {
    underWay.delete(run);
  }
}

/** Runs a task that failed once more, alone, for an error in its own words; undefined if it does not fail again. */
export async function errorOf(task: () => Promise<unknown>): Promise<unknown> {
  while (alone) await alone;
  const run = Promise.allSettled(underWay)
    .then(task)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  alone = run;
  try {
    return await run;
  } finally {
    alone = undefined;
  }
}
