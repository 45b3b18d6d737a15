/**
 * Any text as a status: one line, cut where it is too long for a message with a few more fields in it.
 *
 * @param text Such as the message of an error.
 */
export function statusLine(text: string): string {
  // Not by one expression: one with blanks on both sides of a break takes quadratic time over a long run of blanks.
  const pieces = text.split(/[\n\r\0]+/).map((piece) => piece.trim());
  const flat = pieces.filter((piece) => piece !== "").join(" ");
  let bytes = 0;
  let end = 0;
  for (const character of flat) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > 2048) return `${flat.slice(0, end)}…`;
    end += character.length;
  }
  return flat;
}
