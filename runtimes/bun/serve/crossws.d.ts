/** Stands for the types of `crossws/adapters/bun`: its own bring those of Bun, which change globals for whatever else is checked on Deno. */
declare const adapter: unknown;
export default adapter;
