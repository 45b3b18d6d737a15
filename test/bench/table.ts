// What was measured, as a table of Markdown.

/** One line of a table. */
export interface Row {
  readonly runtime: string;
  readonly name: string;
  readonly figures: readonly string[];
  /** For the chart. */
  readonly ratios?: readonly number[];
}

/** A table of Markdown. */
export function table(heads: readonly string[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = rows.map(({ runtime, name, figures }) => line([runtime, name, ...figures]));
  return [line(heads), line(heads.map(() => "---")), ...lines].join("\n");
}
