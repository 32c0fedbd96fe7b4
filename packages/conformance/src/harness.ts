import type { EnvelopeSource, HandOffOptions, Pep, Task } from "@ambit/core";

/** A tool as the kit thinks of it; a harness makes one of its framework out of it. */
export interface KitTool {
  readonly name: string;
  readonly description: string;
  /**
   * The schema that the framework is to have. `open`: any object, nothing of which is changed. `trimmed`: `topic`, a text, which is trimmed, and `limit`, an integer, which is
   * 10 when it is left out; the framework validates and changes the arguments before it runs the tool.
   */
  readonly input: "open" | "trimmed";
  /** One of `results` of the harness: how what the body returns is wrapped. */
  readonly result: string;
  /** How the tool reports what its body throws: it throws, too, or it returns the text of it in the framework's form for that. */
  readonly failure: "thrown" | "value";
  /** The body. Returns data or text, at once or later, or throws. What reaches a body besides its arguments and repeats them must say the same; a harness that finds otherwise throws. */
  readonly run: (args: unknown, signal: AbortSignal | undefined) => unknown;
  /** Instead of `run`: reports each thing that it yields on the way, and returns the result. */
  readonly stream?: (args: unknown, signal: AbortSignal | undefined) => AsyncGenerator<unknown, unknown, undefined>;
}

/** A hand-off that a model can ask for like for a tool. */
export interface KitHandOff {
  readonly name: string;
  readonly description: string;
  readonly to: HandOffOptions;
  readonly run: (delegate: { readonly task: Task; readonly pep: Pep; readonly input: unknown }) => Promise<unknown>;
}

/** A call that a model asks for. Nothing about it can be relied on: names and arguments may be of any type. */
export interface ModelCall {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** What the model wrote, for frameworks that parse it themselves. Default: the JSON of `args`. */
  readonly text?: string;
}

/** One run: a model that asks for `calls` in one turn, sees what became of them, and then says that it is done. */
export interface Scene {
  readonly pep: Pep;
  readonly envelope: EnvelopeSource;
  readonly tools: readonly KitTool[];
  readonly handOffs?: readonly KitHandOff[];
  readonly calls: readonly ModelCall[];
  readonly signal?: AbortSignal;
  /** Whether the application reads the run as a stream while it goes on. */
  readonly isStreamed?: boolean;
}

/** What the model is shown of one of its calls. */
export interface Shown {
  readonly id: string;
  /** Whether the framework marks it as an error. */
  readonly isError: boolean;
  /** All of it, as the model reads it. */
  readonly text: string;
}

/** What became of a run. */
export interface Turn {
  /** In the order of the calls; empty where the run ended before the model saw anything. */
  readonly shown: readonly Shown[];
  /**
   * Everything that the application, an observer or a store gets of the run: messages, steps, parts of the stream, events of callbacks and telemetry, checkpoints, what
   * goes over a wire. Not what only the tool sees.
   */
  readonly seen: unknown;
  /** What the run rejected with; `undefined` when it came to its end. */
  readonly failure?: unknown;
}

/** What a framework may be unable to do. */
export type Feature =
  /** Validates and changes arguments before the tool runs. */
  | "validation"
  /** Parses what a model wrote as arguments, which need not be JSON. */
  | "parsing"
  /** Tools that report something on the way to their result. */
  | "streamingTools"
  /** Runs that are read while they go on. */
  | "streamedRuns"
  /** Tools that report an error without throwing. */
  | "errorValues"
  /** Agents that a model can hand off to. */
  | "handOffs"
  /** Shows, to a model or to whoever drives a client, only those tools that the envelope could use. */
  | "lists"
  /** A door by which the application calls a protected tool itself, with an object of its own as arguments. */
  | "directCalls";

/** How the kit drives one adapter. */
export interface Harness {
  /** The operator's name for the server, where calls of the framework go to one. */
  readonly server?: string;
  /** The wrappings that a result of the framework may have; the first is the usual one. */
  readonly results: readonly [string, ...string[]];
  /** What the framework cannot do, and why; the cases about it are listed as skipped for that reason. */
  readonly cannot?: { readonly [feature in Feature]?: string };
  /**
   * Protects the tools with `pep` and `envelope`, as an application does, and runs one turn in the framework's own loop with its own mock of a model.
   * Never rejects: what the run rejects with is the `failure`.
   */
  readonly run: (scene: Scene) => Promise<Turn>;
  /** Calls the protected tool of the scene with `args` itself, no copy, past any model. May reject. */
  readonly call?: (scene: Omit<Scene, "calls">, args: Record<string, unknown>) => Promise<unknown>;
  /** The names of those tools of the scene that are shown, in order. Rejects where the framework reports an error instead. */
  readonly list?: (scene: Omit<Scene, "calls">) => Promise<readonly string[]>;
  /** What there is to know of a tool before and after it was protected, besides its body: description, schemas, annotations, further members. */
  readonly describe: (pep: Pep, envelope: EnvelopeSource, tool: KitTool) => Promise<{ readonly before: unknown; readonly after: unknown }>;
}
