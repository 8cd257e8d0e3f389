/**
 * Envelopes are made before anybody is called: sealing a large file takes longer than a partner would wait in a session.
 *
 * Invariant: a send goes over the line only when the envelope that its security asks for is on disk.
 */
import { availableParallelism } from "node:os";
import type { Changes, Transfer } from "../catalog/catalog.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { towardsLine } from "./forms.ts";
import { insist } from "./insist.ts";
import { keys, type Site } from "./site.ts";
import { isHeld } from "./submission.ts";
import { unreadableAs } from "./unreadable.ts";

/** Files sealed at a time; the threads that do it are no more. */
const MOST = availableParallelism();

export class Preparation {
  readonly #site: Site;
  readonly #sealing = new Set<Promise<void>>();
  #looking: Promise<void> | null = null;
  #again = false;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Something may have to be sealed. */
  kick(): void {
    this.#again = true;
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#again = false;
        this.#site.journal.emit("CFTC70E", { text: `sealing stumbled: ${describe(error)}` });
      })
      .finally(() => {
        this.#looking = null;
        // asked for after the last look, and before this
        if (this.#again) this.kick();
      });
  }

  /** Resolves when nothing is under way; envelopes that are not ready are made at the next start. */
  async stop(): Promise<void> {
    await this.#looking;
    await Promise.all(this.#sealing);
  }

  async #look(): Promise<void> {
    const { catalog, clock, owner } = this.#site;
    while (this.#again) {
      this.#again = false;
      const { diskSpace } = this.#site;
      while (this.#sealing.size < MOST && !this.#site.stopping && diskSpace.shortage === null) {
        const transfer = await catalog.claimUnsealed(owner, clock.now());
        if (transfer === undefined) break;
        const work = this.#seal(transfer)
          .catch((error: unknown) => {
            this.#site.journal.emit("CFTC70E", { ...keys(transfer), text: describe(error) });
          })
          .finally(() => {
            this.#sealing.delete(work);
            this.kick();
          });
        this.#sealing.add(work);
      }
    }
  }

  /** Makes the envelope and gives the send up to whoever calls its partner next. */
  async #seal(transfer: Transfer): Promise<void> {
    const site = this.#site;
    const changes: Changes = await this.#prepared(transfer).then(
      () => waitingAs(transfer),
      (error: unknown) => this.#failed(transfer, error),
    );
    await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
    site.kick();
  }

  async #prepared(transfer: Transfer): Promise<void> {
    const { configuration, spool } = this.#site;
    const { cftpart, cftsend, cftparm } = configuration;
    const part = cftpart.get(transfer.part);
    if (part === undefined) throw new CygnetError("CYG_REQUEST_PART", `there is no partner ${transfer.part}`);
    const flow = cftsend.get(transfer.idf) ?? cftsend.get(cftparm.default);
    const make = flow && towardsLine(this.#site, part, transfer, flow);
    if (make) await spool.prepare(transfer, make, flow?.fdisp === "check");
  }

  #failed(transfer: Transfer, error: unknown): Changes {
    const { journal, stopping } = this.#site;
    if (stopping) return waitingAs(transfer);
    const diagc = describe(error);
    if (error instanceof CygnetError && error.code === "CYG_SECURITY_KEY") {
      // it must be secured and cannot be: an operator or another certificate has to help
      journal.emit("CFTT17I", { ...keys(transfer), text: diagc });
      return { phase: "T", phasestep: "K", diagi: 278, diagp: "SECURITY", diagc };
    }
    journal.emit("CFTF04E", { ...keys(transfer), fname: transfer.fname, text: diagc });
    return { phase: "T", phasestep: "H", diagi: unreadableAs(error), diagp: "", diagc };
  }
}

/** What the partner is to fetch goes on waiting for its call. */
function waitingAs(transfer: Transfer): Changes {
  return { phase: "T", phasestep: isHeld(transfer) ? "H" : "D" };
}
