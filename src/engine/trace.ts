/** The protocol trace: a command in words, field by field. Passwords are masked, octets only counted. Pure. */
import type { Command } from "../oftp/wire/commands.ts";

const MASKED = new Set(["pswd"]);

export function traceLine(command: Command): string {
  const fields = Object.entries(command)
    .filter(([name, value]) => name !== "type" && value !== "")
    .map(([name, value]) => `${name}=${MASKED.has(name) ? "********" : show(value)}`);
  return [command.type, ...fields].join(" ");
}

function show(value: unknown): string {
  if (Buffer.isBuffer(value)) return `(${value.length} octets)`;
  if (typeof value === "boolean") return value ? "Y" : "N";
  return String(value);
}
