// Why: rules of this code base that no stock rule expresses, each kept because breaking it opens a hole (DESIGN sections 3, 4 and 8).
const CLOCKS = new Set(["Date.now", "performance.now"]);
const FOLDING = new Set(["startsWith", "endsWith", "toLowerCase", "toUpperCase", "toLocaleLowerCase", "toLocaleUpperCase", "localeCompare", "normalize"]);

const nameOf = (node) => (node.type === "MemberExpression" && !node.computed ? `${nameOf(node.object)}.${node.property.name}` : (node.name ?? ""));

/** Time comes in as an option (`now = Date.now` is a reference); a clock read further down cannot be tested and can disagree with the decision's own. */
const noClock = {
  create: (context) => ({
    CallExpression: (node) => {
      if (CLOCKS.has(nameOf(node.callee)))
        context.report({ node, message: `Take the time from the \`now\` option instead of calling \`${nameOf(node.callee)}()\`.` });
    },
    NewExpression: (node) => {
      if (nameOf(node.callee) === "Date" && node.arguments.length === 0)
        context.report({ node, message: "Take the time from the `now` option instead of `new Date()`." });
    },
  }),
};

/** Two copies of a package in one tree must be harmless, and `instanceof` sees only its own copy. Classes of Node and of the language are fine. */
const noForeignInstanceof = {
  create: (context) => {
    const imported = new Set();
    return {
      ImportDeclaration: (node) => {
        if (!node.source.value.startsWith("node:")) for (const { local } of node.specifiers) imported.add(local.name);
      },
      BinaryExpression: (node) => {
        if (node.operator !== "instanceof" || !imported.has(nameOf(node.right).split(".")[0])) return;
        context.report({ node, message: "`instanceof` fails for another copy of the package: use its `isInstance` or test the shape." });
      },
    };
  },
};

/** INVARIANT I14: names compare exactly. `includes` is left out, because it is also how a list is searched. */
const noNameFolding = {
  create: (context) => ({
    CallExpression: ({ callee }) => {
      if (callee.type !== "MemberExpression" || callee.computed || !FOLDING.has(callee.property.name)) return;
      context.report({
        node: callee.property,
        message: `\`${callee.property.name}\` is how names stop comparing exactly (I14). If this is no name, disable the rule for the line and say so.`,
      });
    },
  }),
};

export default {
  meta: { name: "ambit" },
  rules: { "no-clock": noClock, "no-foreign-instanceof": noForeignInstanceof, "no-name-folding": noNameFolding },
};
