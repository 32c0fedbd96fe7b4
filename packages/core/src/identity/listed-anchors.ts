import type { TrustAnchor } from "../token/anchors.ts";
import type { KeySource, ListedKey } from "./key-source.ts";

/**
 * The trust anchors that the keys of a source are, for `createVerifier({ anchors })`; `describe` says what else an anchor of this issuer has: its name,
 * kind and tenants. Keys that chains cannot be signed with are passed over.
 *
 * @remarks
 * The answer is what the source knows now. Await `source.ready()` before verifying, or the list is as old as it was left: nothing here works in the background.
 * While a key is listed in the same words its anchor is the same object, so that verified chains stay verified; when it is retired or gone, they do not.
 */
export function listedAnchors<const D extends { readonly issuer: string }>(
  source: KeySource,
  describe: (key: ListedKey) => D,
): () => readonly (D & TrustAnchor)[] {
  const anchors = new WeakMap<ListedKey, D & TrustAnchor>();
  return () =>
    source.keys().flatMap((listed) => {
      const { key, kid, notBefore, notAfter } = listed;
      if (key === undefined) return [];
      const anchor = anchors.get(listed) ?? Object.freeze({ ...describe(listed), key, kid, notBefore, notAfter });
      anchors.set(listed, anchor);
      return [anchor];
    });
}
