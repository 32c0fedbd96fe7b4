import { tool, type StructuredToolInterface } from "@langchain/core/tools";
import { z } from "zod";

const POSITIONS = {
  automatic_renewal: { most: 12, unit: "months" },
  notice_period: { most: 90, unit: "days" },
  price_increase: { most: 5, unit: "percent" },
} as const;

/** The one tool that a classifier of clauses needs: what the company accepts at most. */
export const playbookPosition: StructuredToolInterface = tool(
  ({ clause }: { clause: keyof typeof POSITIONS }) => JSON.stringify({ clause, ...POSITIONS[clause] }),
  {
    name: "playbook_position",
    description: "The company's own position on a kind of clause: the most that it accepts.",
    schema: z.object({ clause: z.enum(["automatic_renewal", "notice_period", "price_increase"]) }),
  },
);
