import type { ListenFd, ListenFdsOptions } from "../types.ts";

/** How urgent a log line is, by the names of sd-daemon(3): `emerg` is 0, `debug` is 7. */
export type LogPriority = "emerg" | "alert" | "crit" | "err" | "warning" | "notice" | "info" | "debug";

/** The folders that systemd makes for a service: StateDirectory= and so on. */
export type DirectoryKind = "state" | "runtime" | "cache" | "logs" | "configuration";

/** A secret that systemd passed: LoadCredential=, SetCredential= and the like. */
export interface Credential {
  /** Its name. */
  readonly name: string;
  /** Its contents. */
  readonly bytes: Uint8Array;
  /**
   * Its contents as text.
   *
   * @throws {TypeError} If they are no UTF-8.
   */
  text(): string;
}

/** What every entry point of fd3 offers of a service's surroundings, on every runtime. */
export interface ServiceApi {
  /**
   * Takes a descriptor that was passed, such as a memfd out of the store, for whoever calls. From then on the caller owns it, and neither
   * `listen()` nor another `takeFd()` gives it out. A descriptor that was taken so does not count as passed for `listen()`: with it alone,
   * `fallback` is used.
   *
   * | what was passed | result |
   * | --- | --- |
   * | none of that name | `undefined` |
   * | one or more | the first that is not taken |
   * | all of that name are taken | throws `ERR_FD3_TAKEN` |
   *
   * Deno permissions: those of {@linkcode Api.listenFds}.
   *
   * @throws {Fd3Error} `ERR_FD3_TAKEN` as in the table, and what `listenFds` throws.
   * @throws {TypeError} If the name is no string.
   * @param name FileDescriptorName= of the socket, or the name in the store.
   * @param options `keepEnv`.
   * @returns Its number.
   */
  takeFd(name: string, options?: ListenFdsOptions): number | undefined;
  /**
   * The descriptors that were passed and that nobody took until now. Once a service has taken what it knows, the rest is what an earlier
   * version of it left in the store: {@linkcode NotifyApi.dropFd} it.
   *
   * @throws {Fd3Error} What `listenFds` throws.
   * @param options `keepEnv`.
   */
  unclaimedFds(options?: ListenFdsOptions): ListenFd[];
  /**
   * Whether systemd runs this machine or container: sd_booted(3). It does not say that this process is a service of it.
   *
   * Deno permissions: `--allow-read=/run/systemd/system`, or `--allow-ffi`.
   *
   * @throws {Fd3Error} `EACCES` if it cannot be looked at, `ENOTDIR` if there is a file in the way.
   */
  booted(): boolean;
  /**
   * Writes a line to stderr. If that is the journal, as JOURNAL_STREAM says, each line of the message begins with its priority as
   * `<3>`: see sd-daemon(3). A line longer than the journal's 48 KiB is written as several. It never throws: what cannot be written is lost.
   *
   * Deno permissions: `--allow-env=JOURNAL_STREAM`; without it there are no prefixes.
   *
   * @throws {TypeError} If the priority is unknown.
   * @param priority How urgent it is.
   * @param message One line or more.
   */
  log(priority: LogPriority, message: string): void;
  /**
   * A secret that systemd passed: the file of this name in $CREDENTIALS_DIRECTORY. See LoadCredential= in systemd.exec(5).
   *
   * Deno permissions: `--allow-env=CREDENTIALS_DIRECTORY`, and `--allow-read` of that folder, `/run/credentials`.
   *
   * @throws {Fd3Error} `EACCES` if it may not be read, `EINVAL` if the folder is no absolute path.
   * @throws {TypeError} If it can be no credential's name: it has a slash or a colon in it, is `.` or `..`, or is no printable ASCII.
   * @param name Its name.
   * @returns `undefined` if none of that name was passed, or none at all.
   *
   * @example A password that a service cannot do without
   * ```ts
   * import { credential } from "@fd3/fd3";
   *
   * function password(): string {
   *   const found = credential("database-password");
   *   // No `?? "secret"`: a service whose LoadCredential= was forgotten would take that.
   *   if (found === undefined) throw new Error("The unit lacks LoadCredential=database-password:PATH");
   *   return found.text().trimEnd();
   * }
   * console.log(password);
   * ```
   */
  credential(name: string): Credential | undefined;
  /**
   * The folders of a kind that systemd made for the service: $STATE_DIRECTORY, $RUNTIME_DIRECTORY, $CACHE_DIRECTORY, $LOGS_DIRECTORY
   * or $CONFIGURATION_DIRECTORY.
   *
   * Deno permissions: `--allow-env` of the one that is asked for.
   *
   * @throws {TypeError} If the kind is unknown.
   * @param kind Which folders.
   * @returns Their absolute paths in the order of the unit; empty if there are none.
   */
  directories(kind: DirectoryKind): string[];
}
