// The house's own lint rules, as a plugin of oxlint: what its built-in rules cannot say.

/** `new Date()` and `Date()` read the clock; `new Date(ms)` does not. */
const noClock = {
  create(context) {
    const report = (node) => {
      if (node.callee.name === "Date" && node.arguments.length === 0) {
        context.report({ node, message: "The core has no clock: take the time as an argument." });
      }
    };
    return { NewExpression: report, CallExpression: report };
  },
};

/** `no-restricted-imports` would refuse the namespace together with the name. */
const zodNamespace = {
  create(context) {
    return {
      ImportDeclaration(node) {
        if (node.source.value !== "zod" || node.importKind === "type") return;
        for (const specifier of node.specifiers) {
          if (specifier.type === "ImportNamespaceSpecifier" || specifier.importKind === "type") continue;
          const message = 'Write `import * as z from "zod"`: the named import bundles every locale (454 kB, not 96).';
          context.report({ node: specifier, message });
        }
      },
    };
  },
};

export default {
  meta: { name: "tidemark" },
  rules: { "no-clock": noClock, "zod-namespace": zodNamespace },
};
