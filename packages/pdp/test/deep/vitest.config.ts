import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import deep from "../../../core/test/deep/vitest.config.ts";

// The same runs, seeds and forms as those of core.
export default defineConfig({ ...deep, root: fileURLToPath(new URL(".", import.meta.url)) });
