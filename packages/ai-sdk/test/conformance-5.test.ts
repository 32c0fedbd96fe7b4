import { describeAdapter } from "@ambit/conformance";
import { vi } from "vitest";
import { harnessOf } from "./support/harness.ts";
import { sdk5 } from "./support/sdks.ts";

// What an application that has installed ai 5 gets, in the adapter, too.
vi.mock("ai", () => import("ai-5"));

describeAdapter("the adapter for the AI SDK 5", harnessOf(sdk5), { vectors: new URL("../../../../shared/vectors/", import.meta.url) });
