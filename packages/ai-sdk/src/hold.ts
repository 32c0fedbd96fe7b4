import type { Task } from "@ambit/core";

/**
 * Keeps a task alive for a stream of a run, or a response that carries one, although the scope of the task is left while its tools have yet to run: until the stream has
 * ended, has failed or was cancelled, and at latest until the envelope expires. What comes back is to be used instead of what went in.
 *
 * @remarks A stream that nobody reads and nobody cancels holds its task until the envelope expires.
 */
export function holdFor<STREAM extends ReadableStream | Response>(task: Task, stream: STREAM): STREAM {
  const given: ReadableStream | Response = stream;
  const body = "headers" in given ? given.body : given;
  if (body === null) return stream;
  // Before the task is held: a stream that somebody else reads already cannot be followed to its end.
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const held = heldStream(reader, task.hold());
  return ("headers" in given ? new Response(held, given) : held) as STREAM;
}

function heldStream<T>(reader: ReadableStreamDefaultReader<T>, release: () => Promise<void>): ReadableStream<T> {
  // The envelope expires all the same, and a run that is over is not made to fail by that.
  const letGo = (): Promise<void> => release().catch(() => undefined);
  return new ReadableStream<T>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
        } catch (error) {
          await letGo();
          throw error;
        }
        await letGo();
        controller.close();
      },
      cancel: async (reason) => {
        try {
          await reader.cancel(reason);
        } finally {
          await letGo();
        }
      },
    },
    // Nothing is read ahead: a step of the run begins when somebody wants to see it.
    { highWaterMark: 0 },
  );
}
