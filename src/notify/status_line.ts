/** As much as leaves room for a few more fields in the message. */
const mostBytes = 2048;

/**
 * Any text as a status: one line, cut where it is too long for a message with a few more fields in it.
 *
 * @param text Such as the message of an error.
 */
export function statusLine(text: string): string {
  let flat = "";
  // One line after the other, without the blanks around it, and no more of them than are shown: the text may be of any length, and a
  // blank before a break in the expression would make the time quadratic.
  for (const [line] of text.matchAll(/[^\s\0][^\n\r\0]*/g)) {
    flat += (flat === "" ? "" : " ") + line.trimEnd();
    // No character has less than a byte.
    if (flat.length > mostBytes) break;
  }
  let bytes = 0;
  let end = 0;
  for (const character of flat) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > mostBytes) return `${flat.slice(0, end)}…`;
    end += character.length;
  }
  return flat;
}
