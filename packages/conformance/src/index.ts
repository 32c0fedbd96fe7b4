/**
 * The suite that every adapter of Ambit has to pass, to be run with vitest.
 *
 * @module
 */

// What an adapter's test needs.
export { describeAdapter, type SuiteOptions } from "./describe-adapter.ts";
export type { Feature, Harness, KitHandOff, KitTool, ModelCall, Scene, Shown, Turn } from "./harness.ts";

// The same cases, for another runner and for tests of the suite itself.
export type { Case, Group } from "./case.ts";
export { groupsOf } from "./groups.ts";

// Decision points for an adapter's own tests: one that says what it is told to, and a real one.
export { createWorld, type HoldingKind, type World, type WorldOptions } from "./world.ts";
export { deny, enforcement, naming, permit, scriptedPdp, type ScriptedPdp } from "./scripted-pdp.ts";
