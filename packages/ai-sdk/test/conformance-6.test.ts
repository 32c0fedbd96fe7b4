import { describeAdapter } from "@ambit/conformance";
import { vi } from "vitest";
import { harnessOf } from "./support/harness.ts";
import { sdk6 } from "./support/sdks.ts";

// What an application that has installed ai 6 gets, in the adapter, too.
vi.mock("ai", () => import("ai-6"));

describeAdapter("the adapter for the AI SDK 6", harnessOf(sdk6), { vectors: new URL("../../../../shared/vectors/", import.meta.url) });
