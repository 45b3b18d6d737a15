import { Fd3Error } from "../errors.ts";

/** What somebody threw that is no error, as it is or as JSON. */
function textOf(value: unknown): string {
  try {
    const text = String(value);
    return text === "[object Object]" ? JSON.stringify(value) ?? text : text;
  } catch {
    // It is a circle, or nothing makes a text of it.
    return "[object Object]";
  }
}

/** An error for the status: its message alone. */
export function messageOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  return typeof message === "string" && message !== "" ? message : textOf(error);
}

/** Causes of causes that are told of, at most: they may be in a circle. */
const maxCauses = 8;

/** Where it was thrown, too. */
function stackOf(error: unknown): string {
  const { stack } = Object(error) as { stack?: unknown };
  const message = messageOf(error);
  if (typeof stack !== "string") return message;
  // Not every engine begins the stack with the message.
  return stack.includes(message) ? stack : `${message}\n${stack}`;
}

/** An error for the log: where it was thrown, and what caused it, unless it says all that there is to know. */
export function detailsOf(error: unknown): string {
  if (error instanceof Fd3Error) return messageOf(error);
  const texts = [stackOf(error)];
  // An AggregateError: that of a connection to a host with several addresses says nothing by itself.
  const { errors } = Object(error) as { errors?: unknown };
  if (Array.isArray(errors)) texts.push(...errors.slice(0, maxCauses).map((one) => `One of them: ${stackOf(one)}`));
  let { cause } = Object(error) as { cause?: unknown };
  for (let left = maxCauses; cause !== undefined && left > 0; left--) {
    texts.push(`Caused by: ${stackOf(cause)}`);
    ({ cause } = Object(cause) as { cause?: unknown });
  }
  return texts.join("\n");
}

/** What ERRNO= says of an error: the name of its errno, where it has one. */
export function errnoOf(error: unknown): string | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
