import { createMemoryState } from "../../src/state/memory-state.ts";
import { describeStateStore } from "./state-store.contract.ts";
import { describeUnsettledCalls } from "./unsettled.contract.ts";

describeStateStore("memory", async () => createMemoryState());
describeUnsettledCalls("memory", async () => createMemoryState());
