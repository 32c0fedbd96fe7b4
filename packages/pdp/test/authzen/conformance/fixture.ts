import type { CedarEvaluatorOptions } from "@ambit/pdp/authzen";

/**
 * What the certification scenario of the Authorization API 1.0 (openid/authzen @ e287920) wants a decision point to know, stated as Cedar: two users, two records, and
 * eight decisions that are checked by value.
 */
export const CERTIFICATION: CedarEvaluatorOptions = {
  schema: `
    entity user { role?: String };
    entity record { status?: String };
    action read, write appliesTo { principal: user, resource: record };
    action delete appliesTo { principal: user, resource: record, context: { action?: { soft?: Bool } } };`,
  policies: [
    {
      name: "certification.cedar",
      text: `
        @id("readers") permit (principal, action == Action::"read", resource) when { principal == user::"alice" || principal == user::"bob" };
        @id("writer") permit (principal == user::"alice", action == Action::"write", resource) unless { resource has status && resource.status == "archived" };
        @id("archivist") permit (principal, action == Action::"write", resource)
          when { principal has role && principal.role == "admin" && resource has status && resource.status == "archived" };
        @id("soft") permit (principal == user::"alice", action == Action::"delete", resource)
          when { context has action && context.action has soft && context.action.soft };`,
    },
  ],
  entities: [
    { uid: { type: "user", id: "alice" }, attrs: {}, parents: [] },
    { uid: { type: "user", id: "bob" }, attrs: { role: "admin" }, parents: [] },
    { uid: { type: "record", id: "record-1" }, attrs: { status: "active" }, parents: [] },
    { uid: { type: "record", id: "record-2" }, attrs: { status: "archived" }, parents: [] },
  ],
};
