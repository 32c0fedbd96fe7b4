import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import normal from "../../../../vitest.config.ts";

// All of this is about one version of everything.
const { projects: _, ...test } = normal.test ?? {};
const folder = fileURLToPath(new URL(".", import.meta.url));

// `npm run test:races`: what processes do to the store that they share, and what is compared with the store in memory, at full size: 16 processes of 2,000 calls each. Several minutes for each store.
export default defineConfig({
  ...normal,
  root: folder,
  cacheDir: fileURLToPath(new URL("../../../../node_modules/.vite", import.meta.url)),
  test: {
    ...test,
    include: ["{sqlite,postgres}-state.test.ts", "memory-state.test.ts", "redis-{races,model,state}.test.ts"],
    setupFiles: [fileURLToPath(new URL("../../../../tools/fail-on-console.ts", import.meta.url))],
    // One store after the other: each has the machine for itself.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    env: { AMBIT_DEEP: "full", AMBIT_REQUIRE_SERVICES: "1" },
  },
});
