import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Task } from "@ambit/core";
import { createWorld } from "./world.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of the heap for each task that was begun and is held: the envelope, its lineage at the decision point, and its record in a log in memory. */
export async function bytesPerEnvelope(count: number): Promise<number> {
  const { begin } = await createWorld();
  const held: Task[] = [];
  for (let index = 0; index < Math.min(count, 200); index++) held.push(await begin());
  const before = heap();
  for (let index = 0; index < count; index++) held.push(await begin());
  const after = heap();
  if (held.length < count) throw new Error("tasks are missing");
  return (after - before) / count;
}

function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
