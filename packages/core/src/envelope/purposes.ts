/** What the order needs of the purpose catalogue: it is a tree. */
export interface PurposeTree {
  /** The parent of a purpose; `null` at the top; `undefined` when there is no such purpose. */
  parentOf(purpose: string): string | null | undefined;
  /** Pinned by the root of a lineage. */
  readonly digest: string;
}

/** The purpose and everything above it, or `undefined` when it is not in the catalogue. */
export function purposeLine(tree: PurposeTree, purpose: string): readonly string[] | undefined {
  const line: string[] = [];
  let current: string | null = purpose;
  while (current !== null) {
    const parent = tree.parentOf(current);
    if (parent === undefined || line.length > 64) return undefined;
    line.push(current);
    current = parent;
  }
  return line;
}
