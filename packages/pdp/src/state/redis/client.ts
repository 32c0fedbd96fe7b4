/** What is used of a client of the package `redis`: one connection, a pool, a sentinel. */
export interface RedisClient extends RedisNode {
  withCommandOptions(options: { readonly abortSignal: AbortSignal }): RedisScripts;
}

/** The same of its cluster client. */
export interface RedisCluster {
  withCommandOptions(options: { readonly abortSignal: AbortSignal }): RedisScripts;
  readonly masters: readonly unknown[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the client's own type of a node
  nodeClient(node: any): RedisNode | Promise<RedisNode> | undefined;
}

export interface RedisScripts {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** One server. */
export interface RedisNode {
  configGet(name: string): Promise<unknown>;
  info(): Promise<unknown>;
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<{ readonly cursor: unknown; readonly keys: readonly unknown[] }>;
}

/** Every server that is written to. */
export async function primariesOf(client: RedisClient | RedisCluster): Promise<readonly RedisNode[]> {
  if (!("masters" in client)) return [client];
  const nodes = await Promise.all(client.masters.map((node) => client.nodeClient(node)));
  return nodes.filter((node) => node !== undefined);
}
