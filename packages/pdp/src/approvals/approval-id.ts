/** The id of a request: what it is about, and the number that tells it from others about the same, before it and after it. */
export function approvalId(binding: string, nonce: string): string {
  return `apr_${binding}.${nonce}`;
}

/** What the request with this id is about; `undefined` for what is no id of one. */
export function bindingIn(id: string): string | undefined {
  return /^apr_([A-Za-z0-9_-]{43})\.[A-Za-z0-9_-]{16}$/.exec(id)?.[1];
}
