/**
 * The one table of messages that this gateway can emit. Ids, severities and variables are Transfer CFT's where it has
 * the message; the wording is ours. CFTH70..99, CFTC70, CFTF70..71, CFTI70, CFTN70, CFTR70..71, CFTS70, 75..78,
 * 80..87 and CFTY75 are not Transfer CFT's.
 */
import { catalogMessages } from "./families/catalog.ts";
import { exchangeMessages } from "./families/exchange.ts";
import { fileMessages } from "./families/files.ts";
import { networkMessages } from "./families/network.ts";
import { requestMessages } from "./families/requests.ts";
import { schedulingMessages } from "./families/scheduling.ts";
import { scriptMessages } from "./families/scripts.ts";
import { sessionMessages } from "./families/sessions.ts";
import { startMessages } from "./families/start.ts";
import { tlsMessages } from "./families/tls.ts";
import { transferMessages } from "./families/transfers.ts";
import type { Message } from "./message.ts";

/** Every message, family by family. */
export const messages: readonly Message[] = [
  ...startMessages,
  ...networkMessages,
  ...sessionMessages,
  ...requestMessages,
  ...schedulingMessages,
  ...transferMessages,
  ...fileMessages,
  ...catalogMessages,
  ...tlsMessages,
  ...exchangeMessages,
  ...scriptMessages,
];

/** Every message by id. */
export const catalogue: ReadonlyMap<string, Message> = new Map(messages.map((row) => [row.id, row]));
