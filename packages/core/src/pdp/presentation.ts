/**
 * How a holder shows the envelope that it acts under. In process it is an unguessable handle that the decision point gave out.
 * It is a capability: nothing of it goes into logs, spans or messages.
 */
export interface Presentation {
  readonly kind: "handle";
  readonly handle: string;
}
