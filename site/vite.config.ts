/**
 * The pages: one that enlarges pictures, and the lesson on kernels. `npm run page` serves them, `npm run
 * page:build` makes static files for any web server.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type HtmlTagDescriptor, type IndexHtmlTransformContext, type Plugin } from "vite";
import { shorterBundle } from "../scripts/shorter-bundle.ts";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What makes an operation has no effect but its result: those that the pages never call are left out. */
const treeshake = {
  manualPureFunctions: [
    ...["defineOp", "defineUpdate", "defineUnary", "defineFunction", "withoutConstants", "defineBinary"],
    ...["defineComparison", "extremum", "defineReduction", "defineLoss", "kernel"],
  ],
};

export default defineConfig({
  root: folder("."),
  base: "./", // so that the files work from any folder of a server
  // The target has `using` written out for browsers without it. The worker is a module, like its source.
  oxc: { target: "es2022" },
  worker: {
    format: "es",
    plugins: () => [shorterWorker()],
    rolldownOptions: {
      treeshake,
      output: {
        codeSplitting: {
          groups: [
            {
              // What the worker's first file shares with those that load later stays in it: another would be one round
              // trip more.
              name: "worker",
              test: /site\/(?:worker|worker-language|load-part|pictures\/show)\.ts/,
            },
          ],
        },
      },
    },
  },
  build: {
    outDir: folder("../dist-page"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false }, // no browser that has WebGPU needs it
    assetsInlineLimit: 0, // the policy below forbids files as data: URLs
    rolldownOptions: {
      input: [folder("index.html"), folder("kernels/index.html"), folder("service-worker.ts")],
      treeshake,
      output: {
        // Browsers look for a service worker's update at the same address.
        entryFileNames: ({ name }) =>
          name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js",
        // What both pages, or several languages, have in common: one file, not one for each part of it.
        codeSplitting: {
          groups: [
            {
              name: "shared",
              test: /site\/(?:tabs|task-engine|download|escape|languages|patience|stillness|sentences\/list)\.ts|vite\/preload-helper/,
            },
            {
              // What the page's first file shares with those that load later: browsers ask for six files at once.
              name: "common",
              test: /site\/(?!kernels|video)|src\//,
              minShareCount: 2,
            },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", fs: { allow: [folder("..")] } },
  plugins: [head(), licence(), filesForServiceWorker()],
});

/** Nothing comes from elsewhere, and nothing goes there. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src blob:", // videos of the user's
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * What the head of the built page has besides: the policy (Vite's server for development breaks it), and
 * addresses that depend on where the page lies. PIXELGRAD_PAGE_URL is that of the page, for previews of links,
 * which must be absolute; GITHUB_REPOSITORY ("owner/name") or package.json names the source.
 */
function head(): Plugin {
  return {
    name: "head",
    transformIndexHtml: {
      order: "post",
      handler(html, context) {
        const page = process.env.PIXELGRAD_PAGE_URL?.replace(/\/*$/, "/") ?? "./";
        const source = sourceAddress();
        const linked = html
          .replaceAll("%PAGE%", page)
          .replace("%SOURCE%", source ?? "")
          .replace(/<a id="source"[^>]*>[^<]*<\/a>/, (link) => (source ? link : ""));
        if (context.server) return linked;
        return {
          html: linked
            // From a folder without a server, a style sheet loads only without `crossorigin`.
            .replace(/(<(?:script type="module"|link rel="(?:stylesheet|modulepreload)")) crossorigin/g, "$1")
            .replace(/\n +(?=<)/g, "\n"), // indentation, which every visitor would load
          tags: [
            {
              tag: "meta",
              attrs: { "http-equiv": "Content-Security-Policy", content: policy },
              injectTo: "head-prepend",
            },
            ...loadAtOnce(context),
          ],
        };
      },
    },
  };
}

/** The files of each worker, its own first, by the path of its source. */
const filesOfWorkers = new Map<string, readonly string[]>();

/**
 * Files that a page needs before it can be used, and that its script would ask for later: on a slow line, each
 * file that waits for another costs a round trip. A page's worker is the worker.ts beside it.
 */
function loadAtOnce({ filename, path, bundle }: IndexHtmlTransformContext): HtmlTagDescriptor[] {
  const toRoot = "../".repeat(path.split("/").length - 2) || "./";
  const link = (file: string, attrs: Record<string, string | true>): HtmlTagDescriptor => ({
    tag: "link",
    attrs: { ...attrs, href: toRoot + file },
    injectTo: "head",
  });
  const worker = filesOfWorkers.get(filename.replace(/index\.html$/, "worker.ts"))!;
  const tags = worker.map((file) => link(file, { rel: "modulepreload" }));
  if (path !== "/index.html") return tags;
  const sample = Object.values(bundle!).find(isFirstSample)!;
  return [...tags, link(sample.fileName, { rel: "preload", as: "fetch", crossorigin: true })]; // as fetch() asks for it
}

type BuiltFile = NonNullable<IndexHtmlTransformContext["bundle"]>[string];

/** The first of samples.ts. */
function isFirstSample(file: BuiltFile | undefined): boolean {
  return file?.type === "asset" && file.originalFileNames.includes("samples/cat.webp");
}

function sourceAddress(): string | undefined {
  const { GITHUB_REPOSITORY } = process.env;
  if (GITHUB_REPOSITORY) return `https://github.com/${GITHUB_REPOSITORY}`;
  const { repository } = JSON.parse(readFileSync(folder("../package.json"), "utf8")) as {
    repository?: { url: string };
  };
  return repository?.url.replace(/^git\+/, "").replace(/\.git$/, "");
}

/**
 * Parts of the library that no visitor reaches, and what the workers have in their places. The page reads no networks
 * of ncnn, which are two files each; Dawn has switches only in Node; and sentences and checks are for people who write
 * programs, with networks and methods of their own.
 */
const unreachable: Readonly<Record<string, string>> = {
  "src/device/dawn.ts":
    "export const readDawnSwitches = undefined, someDawnSwitches = { fits: () => false };",
  "src/weights/ncnn-file.ts": "export const looksLikeNcnn = () => false, parseNcnn = undefined;",
  "src/models/ncnn.ts": "export const namedAsInPytorch = undefined;",
  "src/tensor/pytorch-names.ts":
    'export const arithmetic = "A tensor is no number.", methodSentences = {}, propertySentences = {};',
  "src/nn/pytorch-names.ts": "export const moduleSentences = {}, optimizerSentences = {};",
  "src/options/pytorch-options.ts": "export const foreignOptions = new Map(), ownNames = new Map();",
  "src/models/check-network.ts": `export const checkNetwork = () => {}, forwardOf = (model, x) => model.forward(x),
    featuresOf = (model, stages, x) => stages.features(x),
    reconstructionOf = (model, stages, x) => stages.reconstruct(x);`,
  "src/upscale/check-method.ts": `export const checkMethod = () => {},
    enlargedBy = (method, planes, signal) => method.enlarge(planes, signal);`,
};

/** The lesson measures kernels; the page that enlarges does not. */
const onlyInLesson: Readonly<Record<string, string>> = {
  "src/device/pass-timer.ts": "export const PassTimer = undefined;",
};

/**
 * Networks without what only `pixelgrad train` asks of them: its presets and its list.
 *
 * @throws Error if they are written in another way, and would go to every visitor
 */
function withoutRecipes(code: string, id: string) {
  if (!id.startsWith(folder("../src/models/"))) return undefined;
  const short = code.replace(/^ {2}(?:presets: \{[\s\S]*?^ {2}\}|summary:\s+".*"),$/gm, "");
  const hasPresets = / presets: /.test(short) && !id.endsWith("/architecture.ts");
  if (hasPresets) throw new Error(`withoutRecipes does not find the end of the presets in ${id}.`);
  return { code: short, map: null };
}

/** The lesson's worker has kernels as they are: it shows them. (And notes what files workers have.) */
function shorterWorker(): Plugin {
  let isLesson = false;
  const root = folder("../");
  const { load, transform } = shorterBundle();
  return {
    name: "shorter-worker",
    enforce: "pre",
    buildStart({ input }) {
      isLesson = JSON.stringify(input).includes("kernels/worker");
    },
    load(id) {
      const path = id.slice(root.length);
      return unreachable[path] ?? (isLesson ? undefined : (onlyInLesson[path] ?? load(id)));
    },
    transform: (code, id) => (isLesson ? undefined : (withoutRecipes(code, id) ?? transform(code, id))),
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk" && file.isEntry)
          filesOfWorkers.set(file.facadeModuleId!, [file.fileName, ...file.imports]);
      }
    },
  };
}

/** Of the page, and of what it has from others. */
function licence(): Plugin {
  const read = (path: string) => readFileSync(folder(`../${path}`), "utf8");
  return {
    name: "licence",
    generateBundle() {
      const { name, version, repository } = JSON.parse(read("node_modules/mediabunny/package.json")) as {
        name: string;
        version: string;
        repository: { url: string };
      };
      const source = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
      const others =
        `The part for video files is ${name} ${version}, unchanged, under the Mozilla Public License 2.0, which ` +
        `follows.\nIts source: ${source}`;
      const texts = [read("LICENSE"), others, read("node_modules/mediabunny/LICENSE")];
      this.emitFile({ type: "asset", fileName: "LICENSE.txt", source: texts.join("\n----\n\n") });
    },
  };
}

/** What the page needs to start, and what it may need later. */
function filesForServiceWorker(): Plugin {
  return {
    name: "files-for-service-worker",
    enforce: "post",
    generateBundle(_, bundle) {
      const built = Object.keys(bundle).filter((path) => !/service-worker|\.html$/.test(path));
      const icons = readdirSync(folder("public")).filter((path) => path !== "preview.jpg");
      const all = [...built, ...icons];
      // Not everybody has a video. The first sample is on its way before there is a service worker.
      const starts = (path: string) =>
        (/\.(?:js|css|svg|webmanifest)$/.test(path) && !/\/video-/.test(path)) || isFirstSample(bundle[path]);
      const files = { atOnce: all.filter(starts), whenUsed: all.filter((path) => !starts(path)) };
      const chunk = bundle["service-worker.js"];
      if (chunk?.type !== "chunk") throw new Error("The service worker was not built.");
      chunk.code = `const FILES=${JSON.stringify(files)};\n${chunk.code}`;
    },
  };
}
