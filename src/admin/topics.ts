/** Every topic of the API: one file each below `topics/`. */
import type { Topic } from "./api.ts";
import { activationTopic } from "./topics/activations.ts";
import { certificateTopic } from "./topics/certificates.ts";
import { configurationTopic } from "./topics/configuration.ts";
import { controlTopic } from "./topics/control.ts";
import { documentTopic } from "./topics/document.ts";
import { eventTopic } from "./topics/events.ts";
import { exchangeTopic } from "./topics/exchange.ts";
import { logTopic } from "./topics/logs.ts";
import { partnerTopic } from "./topics/partners.ts";
import { statusTopic } from "./topics/status.ts";
import { transferTopic } from "./topics/transfers.ts";
import { watchingTopic } from "./topics/watching.ts";

export const TOPICS: readonly Topic[] = [
  statusTopic,
  transferTopic,
  partnerTopic,
  activationTopic,
  controlTopic,
  exchangeTopic,
  watchingTopic,
  certificateTopic,
  configurationTopic,
  logTopic,
  eventTopic,
  documentTopic,
];
