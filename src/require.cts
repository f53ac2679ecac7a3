/**
 * What require("pixelgrad") finds where it cannot load ES modules: in Node before 20.19 and 22.12, and where another
 * program has replaced Node's require(), such as Jest, or finds files by conditions without "module-sync", such as
 * Yarn's Plug'n'Play.
 */
throw new Error(
  "pixelgrad is an ES module, which this require() does not load. Node's does from 20.19 and 22.12 on, but not under " +
    "Yarn's Plug'n'Play; Jest's, from Node 24.9 on with NODE_OPTIONS=--experimental-vm-modules. Or write import " +
    'instead: in a CommonJS file, const pixelgrad = await import("pixelgrad") inside an async function.',
);
