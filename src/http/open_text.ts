import type { OpenPart } from "./engine.ts";

/** So many names are listed of each kind. */
const mostNames = 5;

const kinds = [
  ["request", "unanswered"],
  ["response", "open"],
  ["WebSocket", "open"],
  ["connection", "open"],
] as const;

/** `GET /events (2), GET /log and 3 more`; names that are not known are left out. */
function namesOf(parts: readonly OpenPart[]): string {
  const counts = new Map<string, number>();
  for (const { name } of parts) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => count === 1 ? name : `${name} (${count})`);
  const rest = names.length - mostNames;
  const text = names.slice(0, mostNames).join(", ");
  return rest > 0 ? `${text} and ${rest} more` : text;
}

/**
 * What is open at a server that stops, as a line of the log: `1 response open for 5 s: GET /events`.
 *
 * @param open What is open.
 * @param elapsedMs For how long the stop has taken, in milliseconds.
 * @returns `undefined` if nothing is.
 */
export function openText(open: readonly OpenPart[], elapsedMs: number): string | undefined {
  const seconds = Number((elapsedMs / 1000).toFixed(elapsedMs < 950 ? 1 : 0));
  const texts: string[] = [];
  for (const [kind, state] of kinds) {
    const parts = open.filter(({ is }) => is === kind);
    if (parts.length === 0) continue;
    const names = namesOf(parts);
    const count = `${parts.length} ${kind}${parts.length === 1 ? "" : "s"}`;
    texts.push(`${count} ${state} for ${seconds} s${names === "" ? "" : `: ${names}`}`);
  }
  return texts.length === 0 ? undefined : texts.join("; ");
}
