/** So much of a text is shown: a person reads no more, and it may be of any length and somebody else's. Names have 255 characters. */
const mostShown = 300;

/** What somebody gave, as an error's message shows it: a text quoted and cut where it is long, all else as it is. */
export function quoted(value: unknown): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > mostShown ? `${value.slice(0, mostShown)}…` : value);
}

/** Throws for an argument that is not of its kind: the action, what it is called, what was given, and what is allowed. */
export type Refuse = (name: string, value: unknown, allowed: string) => never;

/**
 * Makes what refuses arguments.
 *
 * @param action What was asked for: "serve".
 */
export function refusing(action: string): Refuse {
  return (name, value, allowed) => {
    const verb = name === "options" ? "are" : "is";
    throw new TypeError(`Cannot ${action}: ${name} ${verb} ${quoted(value)}, ${allowed}`);
  };
}
