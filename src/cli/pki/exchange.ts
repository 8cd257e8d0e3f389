/** `cygnet pki exchange`: certificates of this site to a partner over OFTP. */
import type { TransferRecord } from "../../admin/record.ts";
import type { ExchangeKind } from "../../pki/exchange/kinds.ts";
import { ask } from "../client.ts";
import { type CommonOptions, print, printJson } from "../context.ts";
import { targetOf } from "../target.ts";

export interface ExchangeOptions extends CommonOptions {
  part: string;
  id?: string;
  replaces?: string;
}

export async function exchange(kind: ExchangeKind, options: ExchangeOptions): Promise<void> {
  const target = await targetOf(options);
  const { part, id, replaces } = options;
  const body = { part, kind, ...(id ? { id } : {}), ...(replaces ? { replaces } : {}) };
  const transfers = await ask<TransferRecord[]>(target, "POST", "/pki/exchange", body);
  if (options.json) return printJson(transfers);
  for (const { idtu, nfname, fname } of transfers) print(`${idtu} to ${part}: ${nfname}, ${fname}`);
  print(`what the partner answers: cygnet listcat --part ${part}, cygnet pki list`);
}
