/**
 * Who may come in, and how many: one per CFTNET resource, shared by its listeners.
 *
 * 1. Never more than `maxcnx` connections hold a seat, ours to others among them (when it is lowered, those above it stay till they leave).
 * 2. A recognised partner is never put out for a newcomer.
 * 3. Connections that say nothing cannot keep a partner out for longer than a second: when all seats are taken,
 *    the oldest connection that is not recognised and has had its second gives way.
 * 4. One address never has more than half of the seats for connections that are not recognised.
 * 5. An address that is locked out (`lockouts.ts`) is not heard.
 */
import type { Journal, MessageVariables } from "../messages/journal.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { type AddressSet, addressSet } from "./addresses.ts";
import { type LockoutRules, Lockouts, type Standing } from "./lockouts.ts";

export interface AdmissionRules extends Partial<LockoutRules> {
  maxcnx: number;
  /** Connections from one address; 0 or absent = no limit. */
  maxcnx_host?: number;
  /** CIDR blocks; empty = everybody. */
  allow: readonly string[];
  /** CIDR blocks; wins over allow. */
  deny: readonly string[];
}

/** Since the resource was opened, but for `open` and `silent`, which are now. */
export interface AdmissionCounters {
  open: number;
  silent: number;
  accepted: number;
  denied: number;
  refused: number;
  displaced: number;
  /** Calls from addresses that were locked out. */
  locked: number;
}

/** A connection's place. Both calls may be repeated. */
export interface Seat {
  recognised(): void;
  leave(): void;
  /** Absent for calls of ours. */
  standing?: Standing;
}

interface Sitter {
  address: string;
  since: number;
  cut: () => void;
  leave: () => void;
}

/** Connections of one address that may be silent in any case. */
const FEW = 4;
const GRACE = 1000;
const QUIET = 1000;
const A_MINUTE = 60_000;

export class Admission {
  /** CFTNET id. */
  readonly net: string;
  readonly counters: AdmissionCounters = {
    open: 0,
    silent: 0,
    accepted: 0,
    denied: 0,
    refused: 0,
    displaced: 0,
    locked: 0,
  };
  readonly lockouts: Lockouts;
  readonly #clock: Clock;
  readonly #journal: Journal;
  /** Connections that are not recognised yet, oldest first. */
  readonly #silent = new Set<Sitter>();
  readonly #said = new Map<string, { at: number; unsaid: number }>();
  #summary: Timer | null = null;
  #listeners = 0;
  #maxcnx = 0;
  #maxcnxHost = 0;
  /** Seats taken, and those of them that are silent, by address. */
  readonly #byHost = new Map<string, number>();
  readonly #silentByHost = new Map<string, number>();
  #allow: AddressSet = addressSet([]);
  #deny: AddressSet = addressSet([]);

  /** Errors: CYG_NET_CIDR. */
  constructor(net: string, rules: AdmissionRules, journal: Journal, clock: Clock) {
    this.net = net;
    this.#journal = journal;
    this.#clock = clock;
    this.lockouts = new Lockouts(net, journal, clock);
    this.update(rules);
  }

  /** Puts other rules in force for calls to come; connections that are there stay. Errors: CYG_NET_CIDR, nothing changed. */
  update({ maxcnx, maxcnx_host = 0, allow, deny, ...rules }: AdmissionRules): void {
    const [allowed, denied] = [addressSet(allow), addressSet(deny)];
    this.#maxcnx = maxcnx;
    this.#maxcnxHost = maxcnx_host;
    this.#allow = allowed;
    this.#deny = denied;
    const { lockout = 0, lockout_max = 0, lockout_forget = 0 } = rules;
    this.lockouts.update({ lockout, lockout_max, lockout_forget });
  }

  /**
   * Asks for a seat. `cut` must end the connection at once; it is called when the seat goes to somebody else.
   * Gives null when the caller has to go; the reason has been journalled.
   */
  enter(address: string, port: number, prot: string, cut: () => void): Seat | null {
    if (this.#deny.has(address) || !(this.#allow.empty || this.#allow.has(address))) {
      this.counters.denied++;
      const text = `call from ${address} closed: address not allowed on ${this.net}`;
      this.#say("CFTN05W", { net: this.net, prot, host: address }, text);
      return null;
    }
    const wait = this.lockouts.address(address);
    if (wait > 0) {
      this.counters.locked++;
      const text = `call from ${address} closed: locked out for another ${Math.ceil(wait / 1000)} s`;
      this.#say("CFTN05W", { net: this.net, prot, host: address }, text);
      return null;
    }
    const limits = [
      {
        limit: this.#maxcnxHost || Number.POSITIVE_INFINITY,
        taken: () => this.#byHost.get(address) ?? 0,
        address,
      },
      {
        limit: Math.max(FEW, Math.ceil(this.#maxcnx / 2)),
        taken: () => this.#silentByHost.get(address) ?? 0,
        address,
      },
      { limit: this.#maxcnx, taken: () => this.counters.open, address: null },
    ];
    const full = limits.find((each) => each.taken() >= each.limit && !this.#makeRoom(each, prot));
    if (full) {
      this.counters.refused++;
      this.#summarise(full.limit, prot);
      this.#say("CFTN36W", { limit: full.limit, host: address, net: this.net, prot }, `port ${port}`);
      return null;
    }
    this.counters.accepted++;
    return { ...this.#seat(address, cut), standing: this.lockouts.standing(address) };
  }

  /** Asks for a seat for a call of ours; null when all are taken by others that stay. */
  call(): Seat | null {
    const full = { limit: this.#maxcnx, taken: () => this.counters.open, address: null };
    if (full.taken() >= full.limit && !this.#makeRoom(full, "")) return null;
    const seat = this.#seat("", () => {});
    seat.recognised();
    return seat;
  }

  /** A listener of this resource has opened: the first one opens the resource. */
  listening(): void {
    if (this.#listeners++ === 0) this.#journal.emit("CFTN01I", { net: this.net });
  }

  /** A listener has closed. */
  silenced(): void {
    this.#listeners--;
  }

  #seat(address: string, cut: () => void): Seat {
    const recognised = () => {
      if (!this.#silent.delete(sitter)) return;
      this.counters.silent--;
      count(this.#silentByHost, address, -1);
    };
    let present = true;
    const leave = () => {
      recognised();
      if (present) {
        this.counters.open--;
        count(this.#byHost, address, -1);
      }
      present = false;
    };
    const sitter: Sitter = { address, since: this.#clock.monotonic(), cut, leave };
    this.#silent.add(sitter);
    this.counters.open++;
    count(this.#byHost, address, 1);
    count(this.#silentByHost, address, 1);
    this.counters.silent++;
    return { recognised, leave };
  }

  /** Puts out the oldest silent connections (of one address) until there is a free seat; false when that cannot be had. */
  #makeRoom(full: { limit: number; taken: () => number; address: string | null }, prot: string): boolean {
    for (const oldest of this.#silent) {
      if (full.address !== null && oldest.address !== full.address) continue;
      if (full.taken() < full.limit) break;
      if (full.limit < 1 || this.#clock.monotonic() - oldest.since < GRACE) return false;
      oldest.leave();
      oldest.cut();
      this.counters.displaced++;
      const text = "the longest silent connection gave way to a new caller";
      this.#say("CFTN05W", { net: this.net, prot }, text);
    }
    return full.taken() < full.limit;
  }

  /** How many were refused for a limit, told once for all that come within a minute. */
  #summarise(limit: number, prot: string): void {
    const error = limit === this.#maxcnxHost ? "MAXCNX_HOST" : "MAXCNX";
    const before = this.counters.refused - 1;
    this.#summary ??= this.#clock.timer(A_MINUTE, () => {
      this.#summary = null;
      const count = this.counters.refused - before;
      const text = `${count} within a minute on ${this.net}`;
      this.#journal.emit("CFTH66E", { count, error, info1: limit, info2: this.net, prot, text });
    });
  }

  /** A flood of callers must not become a flood of lines: one a second of each kind, with the number left unsaid. */
  #say(id: string, variables: MessageVariables, text: string): void {
    const now = this.#clock.monotonic();
    const kind = `${id}${"host" in variables}`;
    const last = this.#said.get(kind);
    if (last && now - last.at < QUIET) {
      last.unsaid++;
      return;
    }
    const more = last && last.unsaid > 0 ? ` (and ${last.unsaid} more since the last such message)` : "";
    this.#said.set(kind, { at: now, unsaid: 0 });
    this.#journal.emit(id, { ...variables, text: text + more });
  }
}

function count(seats: Map<string, number>, address: string, change: number): void {
  const now = (seats.get(address) ?? 0) + change;
  if (now > 0) seats.set(address, now);
  else seats.delete(address);
}
