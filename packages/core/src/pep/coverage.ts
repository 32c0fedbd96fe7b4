/** Something of an application that can act, as an adapter found it. */
export interface CoverageItem {
  /** `provider_tool`: the provider of the model runs it, so that no call of it comes by here. */
  readonly kind: "tool" | "server" | "agent" | "provider_tool";
  readonly name: string;
  /** The enforcement point that every call of it comes by, such as `langchain tool`; absent when it can act without a decision. */
  readonly coveredBy?: string;
  /** Why nothing covers it, or what stays open although something does: a line for a person. */
  readonly note?: string;
}

/** What an adapter found in an application: the answer of its `coverage`, and what `ambit doctor` reads. */
export interface Coverage {
  /** The name of the package. */
  readonly adapter: string;
  readonly items: readonly CoverageItem[];
}
