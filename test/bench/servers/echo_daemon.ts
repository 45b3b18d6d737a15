// The same within daemon().
import { daemon } from "../../../mod.ts";

await daemon(async (context) => {
  const listener = await context.listen();
  void (async () => {
    for await (const connection of listener) void connection.forEach((chunk) => connection.write(chunk));
  })();
});
