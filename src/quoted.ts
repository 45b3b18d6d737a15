/** So much of a text is shown: a person reads no more, and it may be of any length and somebody else's. Names have 255 characters. */
const mostShown = 300;

/** What somebody gave, as an error's message shows it: a text quoted and cut where it is long, all else as it is. */
export function quoted(value: unknown): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > mostShown ? `${value.slice(0, mostShown)}…` : value);
}
