/** `await using` for Node 22, which does not know it yet: disposes of the resource when the work is done or has failed. */
export async function within<R extends AsyncDisposable, T>(resource: R, work: (resource: R) => Promise<T>): Promise<T> {
  try {
    return await work(resource);
  } finally {
    await resource[Symbol.asyncDispose]();
  }
}
