/**
 * The open ports. A reload opens new ones before anything else changes and closes old ones after everything has;
 * a port that stays is untouched, whatever else about its protocol changes.
 */
import type { Configuration, Net, Prot } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import { Admission, type AdmissionCounters, type Seat } from "../net/admission.ts";
import type { Connection } from "../net/connection.ts";
import { type Listener, listen } from "../net/listener.ts";
import type { Lockout } from "../net/lockouts.ts";
import type { Clock } from "../platform/clock.ts";
import type { Credentials } from "./credentials.ts";

interface Port {
  /** `host port`. */
  key: string;
  host: string;
  prot: Prot;
  /** What cannot change without opening the port anew. */
  fixed: string;
  listener: Listener;
}

type Wanted = Omit<Port, "listener">;

/** What a reload has opened and what it will close. */
export interface ListenerChange {
  /** Makes the new ports the ones in force and closes those that are gone. */
  commit(): void;
  /** Closes what was opened: the reload failed. */
  rollback(): Promise<void>;
}

export class Listeners {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #arrived: (connection: Connection, prot: string) => void;
  readonly #credentials: () => Credentials;
  readonly #admissions = new Map<string, Admission>();
  #ports: Port[] = [];
  #configuration: Configuration | null = null;

  constructor(
    journal: Journal,
    clock: Clock,
    credentials: () => Credentials,
    arrived: (connection: Connection, prot: string) => void,
  ) {
    this.#journal = journal;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#arrived = arrived;
  }

  get ports(): { prot: string; address: string; port: number; secure: boolean }[] {
    return this.#ports.map(({ prot, listener }) => ({
      prot: prot.id,
      address: listener.address.address,
      port: listener.address.port,
      secure: prot.ssl !== "",
    }));
  }

  /** What should be open by the configuration in force and is not, as `host port`. */
  get closed(): string[] {
    if (this.#configuration === null) return [];
    const open = this.#ports.filter(({ listener }) => listener.open).map(({ key }) => key);
    return wantedPorts(this.#configuration)
      .map(({ key }) => key)
      .filter((key) => !open.includes(key));
  }

  /** Who has to wait, by network resource. */
  get lockouts(): ({ net: string } & Lockout)[] {
    return [...this.#admissions.values()].flatMap(({ net, lockouts }) =>
      lockouts.list().map((lock) => ({ net, ...lock })),
    );
  }

  /** Settles what an address, or a partner's code, has on its account; false when there is nothing. */
  unlock(id: string, user: string): boolean {
    return [...this.#admissions.values()].filter(({ lockouts }) => lockouts.clear(id, user)).length > 0;
  }

  /** How often somebody was locked out since the start. */
  get locks(): { net: string; locks: number }[] {
    return [...this.#admissions.values()].map(({ net, lockouts }) => ({ net, locks: lockouts.count }));
  }

  /** Counters of each network resource. */
  get networks(): ({ net: string } & AdmissionCounters)[] {
    return [...this.#admissions.values()].map(({ net, counters }) => ({ net, ...counters }));
  }

  /**
   * Opens what a configuration wants and is not open yet.
   * @throws CygnetError CYG_NET_BIND; then nothing has changed
   */
  async prepare(configuration: Configuration, credentials: Credentials): Promise<ListenerChange> {
    const wanted = wantedPorts(configuration);
    const opened: Port[] = [];
    const replaced: Port[] = [];
    const rollback = async () => {
      for (const { listener } of opened) listener.close();
      for (const port of replaced)
        port.listener = await this.#open(this.#configuration ?? configuration, port, this.#credentials());
    };
    try {
      for (const port of wanted) {
        const old = this.#ports.find(({ key }) => key === port.key);
        if (old?.fixed === port.fixed) continue;
        if (old) {
          old.listener.close();
          replaced.push(old);
        }
        opened.push({ ...port, listener: await this.#open(configuration, port, credentials) });
      }
    } catch (error) {
      await rollback();
      throw error;
    }
    return {
      rollback,
      commit: () => {
        const stay = this.#ports.filter((port) => !replaced.includes(port));
        const kept: Port[] = [];
        for (const port of stay) {
          const now = wanted.find(({ key }) => key === port.key);
          if (now) kept.push({ ...port, prot: now.prot });
          else port.listener.close();
        }
        this.#ports = [...kept, ...opened];
        this.#configuration = configuration;
        for (const net of configuration.cftnet.values()) this.#admissions.get(net.id)?.update(net);
      },
    };
  }

  /** A seat for a call of ours, counted with those of callers; null when there is none. */
  seat(net: Net | undefined): Seat | null {
    return net === undefined ? null : this.#admission(net).call();
  }

  #admission(net: Net): Admission {
    const admission = this.#admissions.get(net.id) ?? new Admission(net.id, net, this.#journal, this.#clock);
    this.#admissions.set(net.id, admission);
    return admission;
  }

  /** Closes every port; sessions go on. */
  close(): void {
    for (const { listener } of this.#ports) listener.close();
    this.#ports = [];
  }

  async #open(
    configuration: Configuration,
    { host, prot }: Wanted,
    credentials: Credentials,
  ): Promise<Listener> {
    const net = configuration.cftnet.get(prot.net) as Net;
    const admission = this.#admission(net);
    // whatever protocol object a reload puts behind the port serves the next caller; a caller that comes before the
    // port is in force meets what it was opened for
    let opened: Listener | null = null;
    const inForce = () => this.#ports.find(({ listener }) => listener === opened)?.prot;
    const current = () => inForce() ?? prot;
    opened = await listen({
      host,
      port: prot.sap as number,
      ...(prot.ssl === ""
        ? {}
        : { tls: () => (inForce() ? this.#credentials() : credentials).server(current().ssl) }),
      admission,
      keepalive: net.keepalive,
      get handshakeTimeout() {
        return current().disctc || 60_000;
      },
      onConnection: (connection) => this.#arrived(connection, current().id),
      journal: this.#journal,
      prot: prot.id,
      clock: this.#clock,
    });
    return opened;
  }
}

function wantedPorts(configuration: Configuration): Wanted[] {
  const ports: Wanted[] = [];
  for (const prot of configuration.cftprot.values()) {
    if (prot.sap === null) continue;
    const net = configuration.cftnet.get(prot.net) as Net;
    for (const host of net.host) {
      const fixed = [net.id, net.keepalive, prot.ssl === "" ? "clear" : "tls"].join(" ");
      ports.push({ key: `${host} ${prot.sap}`, host, prot, fixed });
    }
  }
  return ports;
}
