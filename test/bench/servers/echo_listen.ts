// The shortest echo daemon with listen().
import { listen } from "../../../mod.ts";

const listener = await listen();
for await (const connection of listener) void connection.forEach((chunk) => connection.write(chunk));
