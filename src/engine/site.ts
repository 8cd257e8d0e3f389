/** What every part of the running gateway shares. The configuration is the current generation's. */
import type { Catalog, Changes } from "../catalog/catalog.ts";
import type { Configuration, Part } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import type { Seat } from "../net/admission.ts";
import type { Handovers } from "../pki/handovers.ts";
import type { CertificateStore } from "../pki/store.ts";
import type { Trust } from "../pki/trust/trust.ts";
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/filesystem.ts";
import type { Random } from "../platform/random.ts";
import type { Spool } from "../spool/spool.ts";
import type { Activations } from "./activations.ts";
import type { Credentials } from "./credentials.ts";
import type { Deliveries } from "./deliveries.ts";
import type { DiskSpace } from "./disk-space.ts";
import type { Envelopes } from "./envelopes.ts";
import type { Exchange } from "./exchange/exchange.ts";
import type { Judgement } from "./judgement.ts";
import type { Sessions } from "./sessions.ts";

export interface Site {
  /** Changes with every reload; a session keeps the one that it began with. */
  configuration: Configuration;
  /** Certificates and keys of that configuration. */
  credentials: Credentials;
  /** Certificates of partners that came by themselves. */
  readonly store: CertificateStore;
  readonly catalog: Catalog;
  readonly spool: Spool;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: FileSystem;
  /** Whether there is room to take anything on. */
  readonly diskSpace: DiskSpace;
  readonly sessions: Sessions;
  readonly deliveries: Deliveries;
  readonly envelopes: Envelopes;
  /** What operators opened and closed. */
  readonly activations: Activations;
  readonly exchange: Exchange;
  /** Which of our certificates partners were given over OFTP. */
  readonly handovers: Handovers;
  /** Is a certificate good; `judgement` asks it for partners' certificates. */
  readonly trust: Trust;
  readonly judgement: Judgement;
  /** Name under which this process claims transfers. */
  readonly owner: string;
  /** True from the moment a shutdown was asked for: nothing new is begun. */
  stopping: boolean;
  /** True when what waits for a partner goes by the sessions of its intermediate one, for now or always. */
  routed(part: Part): Promise<boolean>;
  /** Ends the script that runs for a transfer and leaves the record like this; false when none runs. */
  cutScript(idtu: string, left: Changes): Promise<boolean>;
  /** A seat of a network resource for a call of ours; null when it is full. */
  seats(net: string): Pick<Seat, "leave"> | null;
  /** Hears an address, or a partner's code, again that was refused too often; false when neither was. */
  unlock(id: string, user: string): boolean;
  /** Something may have become due: the scheduler looks again. */
  kick(): void;
}

/** The key block of messages about a transfer. */
export function keys(transfer: { idtu: string; part: string; idf: string }) {
  return { idtu: transfer.idtu, part: transfer.part, idf: transfer.idf };
}

/** Codes by which a partner addresses this site. */
export function ownCodes(configuration: Configuration, part: Part): string[] {
  return [part.nspart, part.sfidorig, configuration.cftparm.npart];
}
