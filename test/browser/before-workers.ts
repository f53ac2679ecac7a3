/** Code of a test in the worker of a page. */
import { vi } from "vitest";

/** Replaces the page's worker by one that runs `code` first, in a module. */
export function beforeWorkers(code: string): void {
  const moduleOf = (text: string) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const Original = Worker;
  vi.stubGlobal(
    "Worker",
    class extends Original {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(moduleOf(`import "${moduleOf(code)}"; import "${new URL(url, location.href)}";`), options);
      }
    },
  );
}
