// How to read what the runners of `npm test` print.

/** How many characters about failed tests are shown again at the end. */
const longestDetails = 4000;

/** What a run found. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What one process found. */
export interface Outcome extends Counts {
  /** What it says of the tests that failed; empty if none has. */
  readonly details: string;
}

/** How a runner says each count, and what it prints of the tests that failed. */
export type Summary = Readonly<Record<keyof Counts | "details", RegExp>>;

export const nodeSummary: Summary = {
  passed: /^ℹ pass (\d+)$/m,
  failed: /^ℹ (?:fail|cancelled) (\d+)$/gm,
  skipped: /^ℹ skipped (\d+)$/m,
  details: /^✖ failing tests:[^]*/m,
};

export const denoSummary: Summary = {
  passed: /\| (\d+) passed/,
  failed: /\| (\d+) failed/,
  skipped: /\| (\d+) ignored/,
  details: /^ ERRORS [^]*/m,
};

export const bunSummary: Summary = {
  passed: /^ *(\d+) pass$/m,
  failed: /^ *(\d+) fail$/m,
  skipped: /^ *(\d+) skip$/m,
  // From the start of a line: else it would be tried from each character.
  details: /^(?:.*\n){0,30}\(fail\) .*/m,
};

export const packageSummary: Summary = {
  passed: /^(\d+) passed/m,
  failed: /(\d+) failed$/m,
  skipped: /^$(\d)/m,
  details: /^FAILED [^]*/m,
};

function count(output: string, pattern: RegExp): number {
  const matches = pattern.global ? [...output.matchAll(pattern)] : [pattern.exec(output)];
  return matches.reduce((sum, match) => sum + Number(match?.[1] ?? 0), 0);
}

/**
 * Reads what a runner printed. One that died, whatever it had said before, or that found no test, has failed too.
 *
 * @param status Its exit status, or null if a signal ended it.
 */
export function outcomeOf(output: string, status: number | null, summary: Summary): Outcome {
  const passed = count(output, summary.passed);
  const skipped = count(output, summary.skipped);
  let failed = count(output, summary.failed);
  if (failed === 0 && (status !== 0 || passed + skipped === 0)) failed = 1;
  const details = failed === 0 ? "" : (summary.details.exec(output)?.[0] ?? output.slice(-longestDetails));
  return { passed, failed, skipped, details: details.slice(0, longestDetails) };
}
