export { deny, enforcement, permit, scriptedPdp as fakePdp, type ScriptedPdp as FakePdp } from "@ambit/conformance";
