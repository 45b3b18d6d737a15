/** What a service's surroundings ask of a runtime. */
export interface ServiceHost {
  /** An environment variable, or `undefined` where it is not set. */
  env(name: string): string | undefined;
  /** Writes to stderr, all of it and at once; what cannot be written is lost. */
  writeStderr(text: string): void;
  /** What stderr is: its device and inode in decimal, as JOURNAL_STREAM has them. `undefined` where the runtime cannot tell. */
  stderrId(): string | undefined;
  /** The contents of a file, `undefined` if there is none; throws what the runtime says. */
  readFile(path: string): Uint8Array | undefined;
  /** Whether there is something at a path; throws what the runtime says. */
  exists(path: string): boolean;
}
