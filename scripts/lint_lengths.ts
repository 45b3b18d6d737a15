// A plugin of `deno lint`, which has no rules for it: how long files and functions may be.

const longestFile = 250;
const longestFunction = 40;

/** What the rules read of ESTree. */
interface Node {
  readonly type: string;
  /** From which character to which. */
  readonly range: readonly [number, number];
  readonly parent?: Node;
  /** Of a call. */
  readonly callee?: Node;
  readonly name?: string;
}

/** The part of Deno.lint.RuleContext that they use; only Deno knows its types. */
interface Context {
  readonly filename: string;
  readonly sourceCode: { readonly text: string };
  report(problem: { node: Node; message: string }): void;
}

const linesOf = (text: string) => text.trimEnd().split("\n").length;

/** The body of a test is a list of steps, and that of `describe()` one of tests. */
function isTest({ parent }: Node): boolean {
  return parent?.type === "CallExpression" && /^(test|describe|suite)$/.test(parent.callee?.name ?? "");
}

function checkFunction(context: Context, node: Node): void {
  const lines = linesOf(context.sourceCode.text.slice(...node.range));
  if (lines <= longestFunction || isTest(node)) return;
  context.report({ node, message: `a function of ${lines} lines: ${longestFunction} are the most` });
}

/** What people import: it holds the documentation of all, which does not count. */
const entryPoint = /\/(mod|runtimes\/\w+)\.ts$/;

function checkFile(context: Context, node: Node): void {
  const { filename, sourceCode: { text } } = context;
  const lines = linesOf(entryPoint.test(filename) ? text.replace(/^ *\/\*\*[^]*?\*\/\n/gm, "") : text);
  if (lines > longestFile) context.report({ node, message: `a file of ${lines} lines: ${longestFile} are the most` });
}

export default {
  name: "lengths",
  rules: {
    file: { create: (context: Context) => ({ Program: (node: Node) => checkFile(context, node) }) },
    function: {
      create: (context: Context) => {
        const check = (node: Node) => checkFunction(context, node);
        return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
      },
    },
  },
};
