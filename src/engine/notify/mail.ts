/** A notice by mail. */
import nodemailer from "nodemailer";
import type { Notify, Smtp } from "../../config/model.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { REFUSED } from "./queue.ts";
import type { Notice } from "./selection.ts";

/** Characters of a subject; the text says the rest. */
const SUBJECT = 120;

/** Subject and text: what has happened, what to do, and the variables, one on each line. */
export function mailOf({ site, severity, message, text, action, at, variables }: Notice) {
  const subject = `[${site}] ${[severity, message, text].filter((word) => word !== "").join(" ")}`;
  const facts = Object.entries(variables).map(
    ([name, value]) => `${name.padEnd(10)} ${oneLine(String(value))}`,
  );
  const lines = [
    text,
    "",
    action,
    "",
    `site       ${site}`,
    `at         ${at}`,
    `message    ${message}`,
    ...facts,
  ];
  return { subject: oneLine(subject).slice(0, SUBJECT), text: `${lines.join("\n")}\n` };
}

/** @throws CygnetError CYG_NOTIFY_REFUSED for an answer 5yz, CYG_NOTIFY_MAIL for what may be better later */
export async function mail(smtp: Smtp, notify: Notify, notice: Notice): Promise<void> {
  const transport = nodemailer.createTransport({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.tls === "tls",
    requireTLS: smtp.tls === "starttls",
    ignoreTLS: smtp.tls === "none",
    ...(smtp.user === "" ? {} : { auth: { user: smtp.user, pass: smtp.passw.reveal() } }),
    connectionTimeout: smtp.timeout,
    greetingTimeout: smtp.timeout,
    socketTimeout: smtp.timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from: smtp.sender,
      to: [...notify.mail],
      messageId: `<${notice.id}@${domainOf(smtp.sender)}>`,
      headers: { "Auto-Submitted": "auto-generated" },
      ...mailOf(notice),
    });
  } catch (cause) {
    const { responseCode = 0 } = cause as { responseCode?: number };
    const code = responseCode >= 500 ? REFUSED : "CYG_NOTIFY_MAIL";
    throw new CygnetError(code, `mail server ${smtp.host}: ${describe(cause)}`, { cause });
  } finally {
    transport.close();
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
