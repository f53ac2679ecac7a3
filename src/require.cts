/** What require("pixelgrad") finds where Node cannot require ES modules: before 20.19 and 22.12. */
throw new Error(
  "pixelgrad is an ES module, which require() loads only in Node 20.19 and later. Write import instead: in a " +
    'CommonJS file, const pixelgrad = await import("pixelgrad") inside an async function.',
);
