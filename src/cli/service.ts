/** `cygnet run` under systemd: readiness, one line of status, signs of life. Does nothing where nobody listens. */
import type { Gateway } from "../engine/gateway.ts";
import { describe } from "../platform/errors.ts";
import { giveSignsOfLife } from "../platform/liveness.ts";
import type { ServiceManager } from "../platform/service-manager.ts";

/** Time between two lines of status where no watchdog asks for signs of life, ms. */
const STATUS_EVERY = 30_000;
/** Signs in the time that the watchdog allows: one may be late, and one may be lost. */
const SIGNS = 3;

export class Service {
  readonly #gateway: Gateway;
  readonly #manager: ServiceManager;
  #stopSigns: () => void = () => {};
  #shown = "";

  constructor(gateway: Gateway, manager: ServiceManager) {
    this.#gateway = gateway;
    this.#manager = manager;
  }

  /** The service manager is not reached. */
  lost(text: string): void {
    this.#gateway.journal.emit("CFTI71W", { text: `not reached: ${text}` });
  }

  /** Call when every port is open and the control socket answers. */
  ready(): void {
    if (!this.#manager.present) return;
    this.#manager.ready(this.#listening());
    const { clock, catalog, journal } = this.#gateway.site;
    const { watchdog } = this.#manager;
    const signs = giveSignsOfLife({
      every: watchdog === null ? STATUS_EVERY : watchdog / SIGNS,
      probe: async () => this.#show(await catalog.totals()),
      alive: () => this.#manager.alive(),
      failed: (error) => journal.emit("CFTI71W", { text: `the catalog does not answer: ${describe(error)}` }),
      clock,
    });
    this.#stopSigns = () => signs.cancel();
  }

  /** A reload that SIGHUP asked for. */
  async reload(): Promise<void> {
    this.#manager.reloading();
    const result = await this.#gateway.reload("SIGHUP");
    this.#shown = "";
    this.#manager.ready(
      result.accepted
        ? this.#listening()
        : `reload rejected, generation ${this.#generation} stays in force; see "cygnet status"`,
    );
  }

  stopping(): void {
    this.#stopSigns();
    this.#manager.stopping("stopping when running transfers have finished");
  }

  #show({ send, recv }: { send: Record<string, number>; recv: Record<string, number> }): void {
    const { site, lastRejection } = this.#gateway;
    const waiting = send.D ?? 0;
    const running = (send.C ?? 0) + (recv.C ?? 0);
    const text =
      `${this.#listening()}; ${site.sessions.all.length} sessions, ${running} transfers running, ${waiting} waiting` +
      (lastRejection.length > 0 ? "; last reload REJECTED" : "");
    if (text !== this.#shown) this.#manager.status(text);
    this.#shown = text;
  }

  #listening(): string {
    const ports = this.#gateway.listeners.ports.map(
      ({ prot, address, port }) => `${prot} ${address}:${port}`,
    );
    return `generation ${this.#generation}, listening on ${ports.join(", ") || "no port"}`;
  }

  get #generation(): number {
    return this.#gateway.generations.at(-1)?.number ?? 0;
  }
}
