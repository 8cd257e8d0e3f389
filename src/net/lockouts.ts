/**
 * Who has been refused too often waits: with each refusal beyond the limit twice as long, up to a bound.
 *
 * Two accounts are kept, by address (an IPv6 caller's is its /64) and by SSID code of a partner.
 * Invariants
 * - Nobody is locked out for what others did: an address that was not refused itself is always heard, whatever is
 *   tried with a partner's code from elsewhere.
 * - A lock never lasts longer than `lockout_max`, and calls that come meanwhile do not prolong it.
 * - A success settles the address, and what it owes on that code; `lockout_forget` without a refusal settles everything.
 * - Memory is bounded: the accounts that were used longest ago make room.
 */
import type { Journal } from "../messages/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "./addresses.ts";

export interface LockoutRules {
  /** Refusals before the first lock; 0 = nobody is locked out. */
  lockout: number;
  /** Longest lock, ms. */
  lockout_max: number;
  /** Time without a refusal after which all is forgotten, ms. */
  lockout_forget: number;
}

/** A lock that is in force. */
export interface Lockout {
  kind: "address" | "code";
  id: string;
  refusals: number;
  /** ms until it ends. */
  left: number;
}

/** What one caller's address has on its account. */
export interface Standing {
  /** ms for which this address may not speak for this code; 0 = it may. */
  locked(code: string): number;
  /** The caller was not who it said it was. `code`: the partner's, null when no partner has it. */
  refused(code: string | null): void;
  /** The caller has proved that it is the partner of this code. */
  accepted(code: string): void;
}

interface Account {
  refusals: number;
  /** Of the last refusal, monotonic ms. */
  last: number;
  until: number;
}

interface CodeAccount extends Account {
  /** Addresses that were refused with it, and when last. */
  by: Map<string, number>;
}

/** The first lock, ms. */
const FIRST = 10_000;
/** Accounts of each kind, and addresses of one code, at most. */
const MOST = 10_000;

export class Lockouts {
  readonly #net: string;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Account>();
  readonly #codes = new Map<string, CodeAccount>();
  #rules: LockoutRules = { lockout: 0, lockout_max: 0, lockout_forget: 0 };
  /** Locks so far. */
  count = 0;

  constructor(net: string, journal: Journal, clock: Clock) {
    this.#net = net;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Puts other rules in force; with `lockout` 0 all is forgotten. */
  update(rules: LockoutRules): void {
    this.#rules = rules;
    if (rules.lockout > 0) return;
    this.#addresses.clear();
    this.#codes.clear();
  }

  /** ms for which an address is not heard at all; 0 = it is. */
  address(address: string): number {
    return this.#left(this.#live(this.#addresses, networkOf(address)));
  }

  /** The account of one address. */
  standing(address: string): Standing {
    const from = networkOf(address);
    return {
      locked: (code) => this.#lockedFor(code, from),
      refused: (code) => this.#refused(from, code),
      accepted: (code) => this.#accepted(from, code),
    };
  }

  /** Locks that are in force, the longest first. */
  list(): Lockout[] {
    const of = (kind: Lockout["kind"], accounts: ReadonlyMap<string, Account>): Lockout[] =>
      [...accounts].map(([id, account]) => {
        return { kind, id, refusals: account.refusals, left: this.#left(account) };
      });
    return [...of("address", this.#addresses), ...of("code", this.#codes)]
      .filter(({ left }) => left > 0)
      .sort((a, b) => b.left - a.left);
  }

  /**
   * Settles an address, or a code with all addresses that were refused with it.
   * @returns false when there was nothing to settle
   */
  clear(id: string, user = "operator"): boolean {
    const from = networkOf(id);
    const account = this.#codes.get(id);
    for (const address of account?.by.keys() ?? []) this.#addresses.delete(address);
    const had = this.#addresses.delete(from) || account !== undefined;
    this.#codes.delete(id);
    for (const [code, { by }] of this.#codes) if (by.delete(from) && by.size === 0) this.#codes.delete(code);
    if (had) this.#journal.emit("CFTN70I", { net: this.#net, host: id, text: `settled by ${user}` });
    return had;
  }

  #lockedFor(code: string, from: string): number {
    const account = this.#live(this.#codes, code);
    const last = account?.by.get(from);
    if (last === undefined || this.#now - last >= this.#rules.lockout_forget) return 0;
    return this.#left(account);
  }

  #refused(from: string, code: string | null): void {
    if (this.#rules.lockout === 0) return;
    const address = this.#live(this.#addresses, from) ?? { refusals: 0, last: 0, until: 0 };
    keep(this.#addresses, from, address);
    this.#count("address", from, address);
    if (code === null) return;
    const account = this.#live(this.#codes, code) ?? { refusals: 0, last: 0, until: 0, by: new Map() };
    keep(this.#codes, code, account);
    keep(account.by, from, this.#now);
    this.#count("code", code, account);
  }

  #accepted(from: string, code: string): void {
    this.#addresses.delete(from);
    const account = this.#codes.get(code);
    if (account?.by.delete(from) && account.by.size === 0) this.#codes.delete(code);
  }

  #count(kind: Lockout["kind"], id: string, account: Account): void {
    const { lockout, lockout_max } = this.#rules;
    const wasLocked = this.#left(account) > 0;
    account.refusals += 1;
    account.last = this.#now;
    // sessions that were let in before the lock and are refused now do not prolong it
    if (account.refusals < lockout || wasLocked) return;
    const wait = Math.min(FIRST * 2 ** Math.min(account.refusals - lockout, 30), lockout_max);
    account.until = this.#now + wait;
    this.count += 1;
    this.#journal.emit("CFTN70W", {
      net: this.#net,
      ...(kind === "address" ? { host: id } : { npart: id }),
      n: account.refusals,
      seconds: Math.ceil(wait / 1000),
      text: kind === "address" ? `address ${id}` : `code ${id}, from addresses that were refused with it`,
    });
  }

  /** An account that is not forgotten yet. */
  #live<A extends Account>(accounts: Map<string, A>, id: string): A | undefined {
    const account = accounts.get(id);
    if (account === undefined) return undefined;
    if (this.#left(account) > 0 || this.#now - account.last < this.#rules.lockout_forget) return account;
    accounts.delete(id);
    return undefined;
  }

  #left(account: Account | undefined): number {
    return account === undefined ? 0 : Math.max(0, account.until - this.#now);
  }

  get #now(): number {
    return this.#clock.monotonic();
  }
}

/** Puts an entry at the end of a bounded table. */
function keep<V>(table: Map<string, V>, key: string, value: V): void {
  table.delete(key);
  table.set(key, value);
  if (table.size <= MOST) return;
  for (const oldest of table.keys()) {
    table.delete(oldest);
    break;
  }
}
