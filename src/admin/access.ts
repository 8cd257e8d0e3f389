/**
 * Who may come in over the network: bearer tokens (RFC 6750) and client certificates of the [[apiuser]] of the
 * configuration in force.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Apiuser } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import { plainAddress } from "../net/addresses.ts";
import { nameRule, slashName } from "../pki/name-rule.ts";
import type { Clock } from "../platform/clock.ts";
import { type Caller, originOf, SOCKET_CALLER } from "./caller.ts";
import { Lockout } from "./lockout.ts";
import { Refusal } from "./refusal.ts";

interface Known {
  user: Apiuser;
  /** SHA-256 of the token; null = it has none. */
  digest: Buffer | null;
  /** Over the subject of a certificate; null = it has none. */
  accepts: ((name: string) => boolean) | null;
}

type Users = ReadonlyMap<string, Apiuser>;

export class Access {
  readonly #users: () => Users;
  readonly #journal: Journal;
  readonly #lockout: Lockout;
  /** Made anew when a reload has brought other users. */
  #known: { of: Users; list: readonly Known[] } = { of: new Map(), list: [] };

  constructor(users: () => Users, journal: Journal, clock: Pick<Clock, "monotonic">) {
    this.#users = users;
    this.#journal = journal;
    this.#lockout = new Lockout(clock);
  }

  /**
   * Who asks; null when it does not say.
   * @throws Refusal 401 for a wrong token, 429 while the address is locked out
   */
  identify(request: IncomingMessage): Caller | null {
    if (originOf(request) === "socket") return SOCKET_CALLER;
    const address = plainAddress(request.socket.remoteAddress ?? "");
    const { authorization } = request.headers;
    return authorization === undefined
      ? this.#byCertificate(request.socket as TLSSocket, address)
      : this.#byToken(authorization, address);
  }

  /** False when a reload has taken away, or changed, what let this caller in. */
  stands({ name, user }: Caller): boolean {
    if (user === null) return true;
    const now = this.#users().get(name);
    return now !== undefined && signOf(now) === signOf(user);
  }

  #byToken(authorization: string, address: string): Caller {
    const left = this.#lockout.wait(address);
    if (left > 0) throw tooMany(left);
    const [, token = ""] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization) ?? [];
    const digest = createHash("sha256").update(token).digest();
    let found: Apiuser | undefined;
    // all are compared, whoever it is: the time that it takes tells nothing
    for (const known of this.#list()) {
      if (known.digest !== null && timingSafeEqual(known.digest, digest)) found ??= known.user;
    }
    if (found !== undefined) return { name: found.id, role: found.role, via: "token", address, user: found };
    const wait = this.#lockout.failed(address);
    if (wait > 0) this.#journal.emit("CFTR90W", { host: address, text: `${wait / 1000} s` });
    throw unknown("no [[apiuser]] has this token");
  }

  #byCertificate(socket: TLSSocket, address: string): Caller | null {
    // a chain that was not verified says nothing
    if (!socket.authorized) return null;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return null;
    const name = slashName(certificate.subject);
    const found = this.#list().find(({ accepts }) => accepts?.(name));
    if (found)
      return { name: found.user.id, role: found.user.role, via: "certificate", address, user: found.user };
    throw unknown(`no [[apiuser]] has a certificate for ${name}`);
  }

  #list(): readonly Known[] {
    const users = this.#users();
    if (this.#known.of !== users) {
      const active = [...users.values()].filter(({ state }) => state === "active");
      this.#known = { of: users, list: active.map(knownOf) };
    }
    return this.#known.list;
  }
}

function signOf({ role, state, certificate, token }: Apiuser): string {
  return JSON.stringify([role, state, certificate, token?.fingerprint ?? null]);
}

/** Nobody is known yet, and somebody has to be. */
export function nameYourself(): Refusal {
  return unknown("say who you are: Authorization: Bearer TOKEN, or a client certificate");
}

function unknown(message: string): Refusal {
  return new Refusal(401, "CYG_API_UNKNOWN", message, { "www-authenticate": 'Bearer realm="cygnet"' });
}

function tooMany(left: number): Refusal {
  const seconds = Math.ceil(left / 1000);
  const message = `too many wrong tokens came from your address; try again in ${seconds} s`;
  return new Refusal(429, "CYG_API_LOCKED", message, { "retry-after": String(seconds) });
}

function knownOf(user: Apiuser): Known {
  const text = user.token?.reveal() ?? "";
  const [, hash] = /^sha256:(.*)$/.exec(text) ?? [];
  const digest = hash ? Buffer.from(hash, "hex") : createHash("sha256").update(text).digest();
  return {
    user,
    digest: text === "" ? null : digest,
    accepts: user.certificate === "" ? null : nameRule(user.certificate),
  };
}
