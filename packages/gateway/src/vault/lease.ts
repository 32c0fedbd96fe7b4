import type { Lease } from "./vault.ts";

/** A lease that zeros its value first and then lets go, once, however often it is disposed of. */
export function createLease({
  value,
  release = async () => {},
  ...rest
}: Pick<Lease, "value" | "version" | "expiresAt"> & { readonly release?: () => Promise<void> }): Lease {
  let disposing: Promise<void> | undefined;
  const lease = {
    ...rest,
    [Symbol.asyncDispose]: () => {
      value.fill(0);
      return (disposing ??= release());
    },
  };
  // INVARIANT I10: not enumerable, or whoever logs or copies a lease would log or copy the secret.
  return Object.freeze(Object.defineProperty(lease, "value", { value, enumerable: false }) as typeof lease & Pick<Lease, "value">);
}
