import { constant, folded, type Code } from "./code.ts";
import { EXTENSION_FUNCTIONS, type ExtensionFunction } from "./extensions/functions.ts";
import { FAILURES } from "./failure.ts";
import { isNode, listPart, part, single, textPart } from "./node.ts";
import { BINARY, isInAny, RELATIONS, UNARY, type Binary } from "./operators.ts";
import { patternOf } from "./pattern.ts";
import { attributeOf, hasAttribute, type Evaluate } from "./scope.ts";
import { asBoolean, asEntity, asText } from "./types.ts";
import { unsupported } from "./unsupported.ts";
import { entityValue, recordValue, setValue, type Value } from "./values.ts";

/** Deeper than what the parser takes; a deeper call would end the stack before it ends the expression. */
const MAX_DEPTH = 500;

type Compile = (body: unknown, depth: number) => Code;

/** An expression of Cedar's JSON form as a closure. A form that it does not know ends the compilation. */
export function compileExpression(node: unknown, depth = 0): Code {
  if (depth > MAX_DEPTH) return unsupported(`an expression deeper than ${MAX_DEPTH} levels`);
  const [kind, body] = single(node);
  const compile = COMPILERS.get(kind);
  if (compile !== undefined) return compile(body, depth + 1);
  const unary = UNARY.get(kind);
  if (unary !== undefined) {
    const argument = compileExpression(part(body, "arg"), depth + 1);
    return folded((scope) => unary(argument.run(scope)), [argument]);
  }
  const binary = BINARY.get(kind);
  if (binary !== undefined) return compileBinary(kind, binary, body, depth + 1);
  const relation = RELATIONS.get(kind);
  if (relation !== undefined) {
    const [left, right] = [compileExpression(part(body, "left"), depth + 1), compileExpression(part(body, "right"), depth + 1)];
    return { run: (scope) => relation(left.run(scope), right.run(scope), scope), isConstant: false };
  }
  const called = EXTENSION_FUNCTIONS.get(kind);
  return called === undefined ? unsupported(`\`${kind.slice(0, 64)}\``) : compileCall(called, body, depth + 1);
}

const COMPILERS: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ["Value", (body) => constant(literalOf(body))],
  ["Var", compileVariable],
  ["&&", (body, depth) => compileJunction("&&", body, depth)],
  ["||", (body, depth) => compileJunction("||", body, depth)],
  ["if-then-else", compileConditional],
  [".", compileAttribute],
  ["has", compileHas],
  ["like", compileLike],
  ["is", compileIs],
  ["Set", compileSet],
  ["Record", compileRecord],
]);

function literalOf(body: unknown): Value {
  if (typeof body === "boolean" || typeof body === "string" || typeof body === "bigint") return body;
  // A number that leaves the safe range has lost digits on its way here: those that have not come as a bigint.
  if (typeof body === "number") return Number.isSafeInteger(body) ? body : unsupported("a number that has lost digits");
  const entity = part(body, "__entity");
  return entityValue(textPart(entity, "type"), textPart(entity, "id"));
}

function compileVariable(body: unknown): Code {
  if (body === "principal") return { run: (scope) => scope.principal, isConstant: false };
  if (body === "action") return { run: (scope) => scope.action, isConstant: false };
  if (body === "resource") return { run: (scope) => scope.resource, isConstant: false };
  if (body === "context") return { run: (scope) => scope.context, isConstant: false };
  return unsupported("a variable that is none of the four");
}

/** The operands of a chain: `a && b && c` leans to the left, as deep as it is long. */
function chainOf(kind: string, body: unknown): readonly unknown[] {
  const operands: unknown[] = [part(body, "right")];
  let left = part(body, "left");
  while (isNode(left) && Object.hasOwn(left, kind)) {
    operands.push(part(left[kind], "right"));
    left = part(left[kind], "left");
  }
  return [...operands, left].reverse();
}

function compileJunction(kind: "&&" | "||", body: unknown, depth: number): Code {
  const ends = kind === "||";
  const operands = chainOf(kind, body).map((operand) => compileExpression(operand, depth));
  const runs = operands.map(({ run }) => run);
  return folded((scope) => {
    for (const run of runs) if (asBoolean(run(scope)) === ends) return ends;
    return !ends;
  }, operands);
}

function compileBinary(kind: string, operator: Binary, body: unknown, depth: number): Code {
  const operands = chainOf(kind, body).map((operand) => compileExpression(operand, depth));
  const [first, second, ...rest] = operands.map(({ run }) => run) as [Evaluate, Evaluate, ...Evaluate[]];
  if (rest.length === 0) return folded((scope) => operator(first(scope), second(scope)), operands);
  return folded((scope) => {
    let value = operator(first(scope), second(scope));
    for (const run of rest) value = operator(value, run(scope));
    return value;
  }, operands);
}

function compileCall({ arity, call }: ExtensionFunction, body: unknown, depth: number): Code {
  if (!Array.isArray(body)) return unsupported("a call without a list of arguments");
  const args = body.map((argument) => compileExpression(argument, depth));
  return folded((scope) => {
    const values = args.map(({ run }) => run(scope));
    if (values.length !== arity) throw FAILURES.type;
    return call(...values);
  }, args);
}

function compileConditional(body: unknown, depth: number): Code {
  const [test, then, otherwise] = ["if", "then", "else"].map((name) => compileExpression(part(body, name), depth)) as [Code, Code, Code];
  return folded((scope) => (asBoolean(test.run(scope)) ? then.run(scope) : otherwise.run(scope)), [test, then, otherwise]);
}

function compileAttribute(body: unknown, depth: number): Code {
  const name = textPart(body, "attr");
  const { run } = compileExpression(part(body, "left"), depth);
  return { run: (scope) => attributeOf(scope, run(scope), name), isConstant: false };
}

/** `has a.b` looks into what it found, and asks no further where it found nothing. */
function compileHas(body: unknown, depth: number): Code {
  const { run } = compileExpression(part(body, "left"), depth);
  const names = [part(body, "attr")].flat();
  const last = names.pop();
  if (typeof last !== "string" || !names.every((name) => typeof name === "string")) return unsupported("a `has` without a name");
  return {
    run: (scope) => {
      let value = run(scope);
      for (const name of names) {
        if (!hasAttribute(scope, value, name)) return false;
        value = attributeOf(scope, value, name);
      }
      return hasAttribute(scope, value, last);
    },
    isConstant: false,
  };
}

function compileLike(body: unknown, depth: number): Code {
  const left = compileExpression(part(body, "left"), depth);
  const literals = [""];
  for (const element of listPart(body, "pattern")) {
    if (element === "Wildcard") literals.push("");
    else literals.push((literals.pop() ?? "") + textPart(element, "Literal"));
  }
  const matches = patternOf(literals);
  return folded((scope) => matches(asText(left.run(scope))), [left]);
}

/** `is T in g` asks for the group only where the type is that one. */
function compileIs(body: unknown, depth: number): Code {
  const left = compileExpression(part(body, "left"), depth);
  const type = textPart(body, "entity_type");
  if (!isNode(body) || !Object.hasOwn(body, "in")) return folded((scope) => asEntity(left.run(scope)).type === type, [left]);
  const group = compileExpression(body["in"], depth);
  return {
    run: (scope) => {
      const entity = asEntity(left.run(scope));
      return entity.type === type && isInAny(scope, entity, group.run(scope));
    },
    isConstant: false,
  };
}

function compileSet(body: unknown, depth: number): Code {
  if (!Array.isArray(body)) return unsupported("a set without a list of elements");
  const elements = body.map((element) => compileExpression(element, depth));
  return folded((scope) => setValue(elements.map(({ run }) => run(scope))), elements);
}

function compileRecord(body: unknown, depth: number): Code {
  if (!isNode(body)) return unsupported("a record without members");
  const members = Object.entries(body).map(([name, member]) => [name, compileExpression(member, depth)] as const);
  return folded(
    (scope) => recordValue(new Map(members.map(([name, { run }]) => [name, run(scope)]))),
    members.map(([, code]) => code),
  );
}
