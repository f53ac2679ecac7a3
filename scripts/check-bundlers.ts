/**
 * The example of docs/browsers.md for Next.js, built with both of its bundlers and opened in Chromium. Next.js is
 * large, so this is no part of `npm run test:package`: `npm run test:bundlers`, after `npm run build`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright";
import { chromiumFlags, findChromium } from "../test/browser/chromium.ts";
import { seeRightPicture, writeProjects } from "./browser-projects.ts";
import { run } from "./new-project.ts";

const folder = mkdtempSync(join(tmpdir(), "pixelgrad-next-"));
const root = join(folder, "next");
const PORT = 3917;
try {
  const { says } = await writeProjects(folder, ["next@16", "react@19", "react-dom@19"]);
  console.log(`pixelgrad-web: ${says}`);
  writeFileSync(
    join(root, "app/layout.jsx"),
    "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
  );
  for (const bundler of ["--turbopack", "--webpack"]) await buildAndOpen(bundler);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function buildAndOpen(bundler: string): Promise<void> {
  const next = join(folder, "node_modules/next/dist/bin/next");
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  await run(process.execPath, [next, "build", bundler], root);
  const browserAt = await findChromium();
  if ("missing" in browserAt)
    return console.log(`next build ${bundler}: built, not opened: ${browserAt.missing}`);
  const server = spawn(process.execPath, [next, "start", "-p", `${PORT}`], { cwd: root, stdio: "pipe" });
  const browser = await chromium.launch({ executablePath: browserAt.path, args: [...chromiumFlags] });
  try {
    await ready(server);
    await seeRightPicture(browser, `http://localhost:${PORT}/`, `next build ${bundler}`);
    console.log(`next build ${bundler}: the right picture`);
  } finally {
    await browser.close();
    server.kill();
    await new Promise((resolve) => server.once("exit", resolve));
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    server.stdout!.on("data", (text) => /Ready/.test(String(text)) && resolve());
    server.once("exit", (code) => reject(new Error(`next start ended with code ${code}`)));
  });
}
