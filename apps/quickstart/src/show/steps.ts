import type { StepResult, ToolSet } from "ai";
import { findInstructions } from "../model/instructions.ts";
import { wrapped, type Screen } from "./screen.ts";

/** Points out tool results that tell their reader what to do; a reader that is a model may well do it. */
export function showInstructions({ line, paint, width }: Screen, { toolResults }: Pick<StepResult<ToolSet>, "toolResults">): void {
  for (const { toolName, output } of toolResults) {
    const found = findInstructions(JSON.stringify(output) ?? "");
    const tools = [...new Set(found.map(({ tool }) => tool))].join(", ");
    if (found.length > 0)
      line(`    ${paint("yellow", `⚑ ${wrapped(`what ${toolName} brought back tells its reader to call ${tools}`, "      ", width).trimStart()}`)}`);
  }
}
