/** The body of a request, of at most so many bytes. */
export async function bytesOf(request: Request, most: number): Promise<Uint8Array | "too large" | "broken off"> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return "too large";
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > most) return "too large";
      chunks.push(chunk);
    }
  } catch {
    return "broken off";
  }
  return Buffer.concat(chunks);
}
