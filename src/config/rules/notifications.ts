import { catalogue } from "../../messages/catalogue.ts";
import { wildmat } from "../../platform/wildmat.ts";
import { didYouMean } from "../suggestion.ts";
import type { Scene } from "./scene.ts";

function isMask(text: string): boolean {
  return /[*?]/.test(text);
}

/** A notification tells somebody of something that can happen. */
export function checkNotifications(scene: Scene): void {
  const parts = scene.ids("cftpart");
  for (const { entry, value } of scene.list("notify")) {
    const problem = (key: string, message: string, element?: number) =>
      scene.findings.problem(entry, { key, element }, "CYG_CONFIG_VALUE", message);
    const { events = [], messages = [], severity, mail = [], url } = value;
    if (events.length === 0 && messages.length === 0 && severity === "none") {
      problem("events", 'nothing to tell of; example: events = ["transfer-failed", "nerp-received"]');
    }
    if (mail.length === 0 && url === "") {
      problem("mail", 'nobody to tell; example: mail = ["ops@example.com"], or url = "https://…"');
    }
    if (mail.length > 0 && !scene.sources.entries.some(({ table }) => table === "smtp")) {
      problem("mail", 'mail needs a mail server; example: [smtp] host = "mail.example.com"');
    }
    if (value.secret && url === "")
      problem("secret", "only a webhook is signed; give url, or take secret out");
    for (const [index, mask] of messages.entries()) {
      if ([...catalogue.keys()].some((id) => wildmat(mask, id))) continue;
      const near = isMask(mask) ? "" : didYouMean(mask, [...catalogue.keys()]);
      problem("messages", `no message has an id like "${mask}"${near}; \`cygnet explain\` knows them`, index);
    }
    for (const [index, mask] of (value.part ?? []).entries()) {
      if (isMask(mask) || parts.includes(mask)) continue;
      const message = `there is no cftpart "${mask}"${didYouMean(mask, parts)}; known are ${parts.join(", ") || "none"}`;
      scene.findings.problem(entry, { key: "part", element: index }, "CYG_CONFIG_REFERENCE", message);
    }
  }
  const smtp = scene.sources.entries.find(({ table }) => table === "smtp");
  if (smtp?.value.user && smtp.value.tls === "none") {
    const message = 'the password of the mail account goes in clear; tls = "starttls" or "tls" protects it';
    scene.findings.warning(smtp, { key: "tls" }, "CYG_CONFIG_ADVICE", message);
  }
}
