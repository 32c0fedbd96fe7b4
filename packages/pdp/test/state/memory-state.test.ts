import { createMemoryState } from "../../src/state/memory-state.ts";
import { describeStateStore } from "./state-store.contract.ts";

describeStateStore("memory", async () => createMemoryState());
