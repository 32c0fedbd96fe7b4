import { pipeline, type Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { failure, refused } from "./failure.ts";
import type { Patience } from "./patience.ts";

const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
] as const);

/** The codings that requests ask for. */
export const CODINGS = "gzip, br";

export interface BodyOptions {
  readonly body: Readable;
  /** What `content-encoding` says. */
  readonly coding: string | undefined;
  /** Counted twice: as the bytes come, and decoded. */
  readonly mostBytes: number;
  readonly patience: Patience;
  /** Milliseconds that the server may leave a reader without any byte. */
  readonly idle: number | undefined;
}

/**
 * The body of an answer as a stream that gives what there is when it is asked, decoded. It fails with `egress_refused` over the cap, for a coding that is none of ours and for one upon
 * another (RFC 9110 section 8.4 allows it, bombs are made of it); with the reason of `patience` when that is over; else with `upstream_unavailable`. What is decoded never lies ahead of the reader
 * by more than a buffer, so that a bomb costs what the cap allows and no memory.
 */
export function limitedBody({ body, coding, mostBytes, patience, idle }: BodyOptions): ReadableStream<Uint8Array> {
  const chunks = counted(coding === undefined ? body : decoded(counted(body, mostBytes), coding), mostBytes);
  const close = (): void => {
    patience.end();
    body.destroy();
  };
  return new ReadableStream(
    {
      pull: async (controller) => {
        const stop = idle === undefined ? undefined : patience.within(idle, "the stream was silent for too long");
        try {
          const { done, value } = await chunks.next();
          if (done !== true) return controller.enqueue(value);
          close();
          controller.close();
        } catch (error) {
          close();
          controller.error(patience.signal.aborted ? patience.signal.reason : failure(error));
        } finally {
          stop?.();
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

async function* counted(source: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw refused(`the answer is larger than ${mostBytes} bytes`);
    yield chunk;
  }
}

function decoded(source: AsyncIterable<Uint8Array>, coding: string): AsyncIterable<Uint8Array> {
  // Codings know no case (RFC 9110 section 8.4.1).
  // oxlint-disable-next-line ambit/no-name-folding
  const decoder = DECODERS.get(coding.toLowerCase())?.();
  if (decoder === undefined) throw refused("the answer has a coding that was not asked for");
  // Whoever reads the decoder is told of what breaks before it.
  return pipeline(source, decoder, () => undefined);
}
