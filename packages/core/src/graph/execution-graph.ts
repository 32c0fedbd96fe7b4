/** What a node of the execution graph stands for. */
export type GraphNode = TaskNode | AgentNode | CallNode | HandOffNode | ExcerptNode;

interface Place {
  /** Unique in the graph; says nothing. */
  readonly id: string;
  readonly tenant: string;
  readonly lineage: string;
  /** When it was first recorded, ISO 8601. */
  readonly at: string;
}

interface Decided {
  readonly decisionId: string;
  /** Anything recorded that is neither a permit nor waits for an approval is a deny. */
  readonly verdict: "permit" | "deny" | "approval_required";
  readonly code?: string;
  readonly message?: string;
}

/** A task that somebody began, or was refused to begin. */
export interface TaskNode extends Place, Decided {
  readonly kind: "task";
  readonly task: string;
  readonly delegator: string;
  readonly purpose: string;
  readonly endedAt?: string;
}

/** An agent at work within a lineage; one node, however many envelopes it holds there. */
export interface AgentNode extends Place {
  readonly kind: "agent";
  readonly agent: string;
}

/** A tool call that was asked for. */
export interface CallNode extends Place, Decided {
  readonly kind: "call";
  readonly tool: string;
  readonly effect?: string;
  readonly step?: string;
  /** How a permitted call ended; missing when nobody recorded it. */
  readonly status?: string;
  readonly records?: number;
  readonly integrity?: string;
  readonly dataClasses: readonly string[];
}

/** A hand-off that was asked for. */
export interface HandOffNode extends Place, Decided {
  readonly kind: "hand_off";
  readonly purpose: string;
  readonly allowedTools: readonly string[];
}

/** A piece of data that went along with a hand-off. */
export interface ExcerptNode extends Place {
  readonly kind: "excerpt";
  readonly label: string;
  readonly dataClasses: readonly string[];
}

/**
 * `caused_by`: a call or a hand-off by the agent that asked for it, an agent by the task it works on.
 * `delegated_to`: a hand-off to the agent that gets, or would have got, the envelope. `carried`: a hand-off and its excerpt.
 */
export interface GraphEdge {
  readonly kind: "caused_by" | "delegated_to" | "carried";
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
}

/** What was asked, decided, done and handed off. Plain data; nodes stand in the order of the log. */
export interface ExecutionGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Records that found no place: the graph is bounded, and an outcome without its decision says nothing. */
  readonly omitted: number;
}
