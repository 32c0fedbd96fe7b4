/** A tracer of OpenTelemetry, as far as the SDK uses one, which tells of everything that is put on a span. */
export function recordingTracer(note: (value: unknown) => void): object {
  const span: object = Object.fromEntries(
    ["setAttribute", "setAttributes", "addEvent", "setStatus", "recordException", "updateName", "addLink", "end"].map((method) => [
      method,
      (...given: unknown[]) => {
        note([method, ...given]);
        return span;
      },
    ]),
  );
  Object.assign(span, { isRecording: () => true, spanContext: () => ({ traceId: "t", spanId: "s", traceFlags: 1 }) });
  const start = (...given: unknown[]): object => {
    note(given);
    return span;
  };
  const startActive = (...given: unknown[]): unknown => {
    note(given.slice(0, -1));
    return (given.at(-1) as (active: object) => unknown)(span);
  };
  return { startSpan: start, startActiveSpan: startActive };
}
