/** What Vitest runs around the quick tier: at the end of a run, it says what that was. */
export function teardown(): void {
  console.log(
    "This was the quick tier, on one adapter. `npm run test:all` runs all tests, those of kernels and networks on " +
      "every adapter that is present.",
  );
}
