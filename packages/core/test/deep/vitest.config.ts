import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import normal from "../../../../vitest.config.ts";

// What takes minutes: `npm run test:deep`, apart from the normal suite. One seed for all of a run, another one for the next; fixed in the short
// form, which is what must hold before a change goes in.
const seed = env["AMBIT_DEEP"] === "short" ? 1 : Math.floor(Date.now() / 1000) % 1_000_000_000;

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** AMBIT_DEEP_RUNTIME=web takes what runtimes have that are no Node process; conditions alone would not do, because Node brings its own. */
const web = env["AMBIT_DEEP_RUNTIME"] === "web" ? ["token/crypto", "data/base64url", "data/digest"] : [];
const alias = Object.fromEntries(web.map((source) => [`#${source.split("/")[1]}`, folder(`../../src/${source}-web.ts`)]));

// Once, and not for each version of a framework.
const { projects: _, ...test } = normal.test ?? {};

export default defineConfig({
  ...normal,
  root: folder("."),
  cacheDir: folder("../../../../node_modules/.vite"),
  resolve: { ...normal.resolve, alias },
  test: {
    ...test,
    include: ["*.deep.ts"],
    setupFiles: [folder("../../../../tools/fail-on-console.ts")],
    testTimeout: 60 * 60_000,
    env: { AMBIT_DEEP_SEED: env["AMBIT_DEEP_SEED"] || String(seed) },
  },
});
