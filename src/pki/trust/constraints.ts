/** Name constraints of an authority (RFC 5280 sections 4.2.1.10 and 6.1.4). */
import { BlockList, isIP } from "node:net";
import type { GeneralName, GeneralSubtree } from "@peculiar/asn1-x509";
import { attributesOf, type Facts } from "./facts.ts";

/** Why a certificate lies outside what an authority above it may certify; undefined when it does not. */
export function outside(authority: Facts, certificate: Facts): string | undefined {
  const { constraints } = authority;
  if (constraints === null) return undefined;
  const permitted = [...(constraints.permittedSubtrees ?? [])];
  const excluded = [...(constraints.excludedSubtrees ?? [])];
  for (const subtree of [...permitted, ...excluded]) {
    if (!isUnderstood(subtree)) return "it limits kinds of names that are not supported here";
  }
  for (const [form, name] of namesOf(certificate)) {
    const ofForm = permitted.filter(({ base }) => base[form] !== undefined);
    if (ofForm.length > 0 && !ofForm.some(({ base }) => lies(form, name, base))) {
      return `the name ${shown(form, name)} is not among those that it may certify`;
    }
    if (excluded.some(({ base }) => base[form] !== undefined && lies(form, name, base))) {
      return `the name ${shown(form, name)} is excluded from what it may certify`;
    }
  }
  return undefined;
}

type Form = "dNSName" | "rfc822Name" | "iPAddress" | "directoryName";
const FORMS: readonly Form[] = ["dNSName", "rfc822Name", "iPAddress", "directoryName"];
const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

function isUnderstood({ base, minimum, maximum }: GeneralSubtree): boolean {
  return minimum === 0 && maximum === undefined && FORMS.some((form) => base[form] !== undefined);
}

/** The subject counts as a directory name, and its e-mail addresses where there are none beside it. */
function namesOf({ subjectName, alternativeNames }: Facts): [Form, GeneralName][] {
  const names = alternativeNames.flatMap((name): [Form, GeneralName][] =>
    FORMS.filter((form) => name[form] !== undefined).map((form) => [form, name]),
  );
  if (subjectName.length > 0) names.push(["directoryName", { directoryName: subjectName } as GeneralName]);
  if (!names.some(([form]) => form === "rfc822Name")) {
    for (const { type, value } of subjectName.flat()) {
      if (type === EMAIL_ADDRESS) {
        names.push(["rfc822Name", { rfc822Name: value.toString() } as GeneralName]);
      }
    }
  }
  return names;
}

function lies(form: Form, name: GeneralName, base: GeneralName): boolean {
  if (form === "directoryName") {
    const whole = [...(name.directoryName ?? [])].map((rdn) => attributesOf(rdn).join("+"));
    const beginning = [...(base.directoryName ?? [])].map((rdn) => attributesOf(rdn).join("+"));
    return beginning.every((rdn, index) => rdn === whole[index]);
  }
  const [value, limit] = [name[form]?.toLowerCase() ?? "", base[form]?.toLowerCase() ?? ""];
  if (form === "dNSName") return value === limit || limit === "" || value.endsWith(dotted(limit));
  if (form === "iPAddress") return withinBlock(value, limit);
  if (limit.includes("@")) return value === limit;
  const host = value.slice(value.lastIndexOf("@") + 1);
  return limit.startsWith(".") ? host.endsWith(limit) : host === limit;
}

function dotted(domain: string): string {
  return domain.startsWith(".") ? domain : `.${domain}`;
}

function withinBlock(address: string, block: string): boolean {
  const [network = "", length = ""] = block.split("/");
  const family = isIP(network);
  if (family === 0 || isIP(address) !== family) return false;
  const list = new BlockList();
  const kind = family === 4 ? "ipv4" : "ipv6";
  list.addSubnet(network, Number(length), kind);
  return list.check(address, kind);
}

function shown(form: Form, name: GeneralName): string {
  return form === "directoryName" ? "in its subject" : JSON.stringify(name[form]);
}
