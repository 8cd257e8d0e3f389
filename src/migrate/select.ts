/** Which objects are carried over at all: what CFTPARM does not load, and what this gateway does not speak, is not. */
import { type Source, word, words } from "./objects.ts";
import { fileOfList } from "./rules/lists.ts";
import { RELAYED, type Site } from "./site.ts";

/** Leaves out, each with its reason, in the order in which one follows from the other. */
export function selectObjects(site: Site): void {
  for (const object of site.objects) {
    const { table, command, why, what } = object.kind;
    // entities go into the profiles that name them
    if (table === "" || !site.keys.tables.has(table))
      site.leave(object, why || `this version has no ${what}`);
    else if (command === "PKICER" && word(object, "STATE").startsWith("INACT")) {
      site.leave(object, "the certificate was not in use (STATE)");
    }
  }
  selectSite(site);
  for (const net of site.of("CFTNET")) {
    const relay = word(net, "TYPE", "TCP") !== "TCP" || word(net, "PROTOCOL") !== "";
    if (relay)
      site.leave(net, "proxies and Secure Relay are not supported: the protocols on it are left out too");
  }
  for (const prot of site.of("CFTPROT")) selectProtocol(site, prot);
  for (const part of site.of("CFTPART")) {
    if (site.protocols(part).length > 0) continue;
    const named = words(part, "PROT").join(", ") || "none";
    site.leave(part, `none of its protocols is spoken here (PROT: ${named})`);
  }
  for (const tcp of site.of("CFTTCP")) selectNetwork(site, tcp);
  selectProfiles(site);
  selectFlows(site);
}

function selectSite(site: Site): void {
  const parms = site.of("CFTPARM");
  const parm = parms.find((object) => word(object, "ID") === "IDPARM0") ?? parms[0];
  for (const other of parms) {
    if (parm && other !== parm) site.leave(other, `one site in a configuration: ${parm.title} serves`);
  }
  for (const command of ["CFTCAT", "CFTLOG", "CFTACCNT"]) {
    const all = site.of(command);
    const named = parm ? word(parm, command.slice(3)) : "";
    const chosen = all.find((object) => word(object, "ID") === named) ?? all[0];
    for (const other of all) {
      if (chosen && other !== chosen) site.leave(other, `one in a configuration: ${chosen.title} serves`);
    }
  }
  for (const command of ["CFTNET", "CFTPROT"]) {
    const loaded = parm ? words(parm, command.slice(3)) : [];
    if (loaded.length === 0) continue;
    for (const object of site.of(command)) {
      if (!loaded.includes(word(object, "ID")))
        site.leave(object, `CFTPARM does not load it (${command.slice(3)})`);
    }
  }
}

function selectProtocol(site: Site, prot: Source): void {
  const type = word(prot, "TYPE", prot.given.has("PROF") ? "PESIT" : "");
  const spoken = site.keys.key("cftprot", "type")?.enum ?? [];
  const net = site.any("CFTNET", word(prot, "NET"));
  if (type === "PESIT")
    site.leave(prot, "PeSIT is not spoken here: agree on OFTP with the partners that use it");
  else if (!spoken.includes(type.toLowerCase()))
    site.leave(prot, `${type || "its TYPE"} is not spoken by this version`);
  else if (net && site.left.has(net)) site.leave(prot, `its network resource ${net.title} is left out`);
}

/** One CFTTCP for each partner: the one whose class is that of the protocols' network resources. */
function selectNetwork(site: Site, tcp: Source): void {
  const id = word(tcp, "ID");
  const part = site.any("CFTPART", id);
  if (!part) {
    const why =
      id === "DEFAULT" ? "values for unknown callers: there are none here" : `there is no CFTPART ${id}`;
    return site.leave(tcp, why);
  }
  if (site.left.has(part)) return site.leave(tcp, `${part.title} is left out`);
  const all = site.all("CFTTCP", id);
  if (all.length < 2) return;
  const classes = site.protocols(part).map(({ id: prot }) => {
    const net = site.find("CFTNET", word(site.find("CFTPROT", prot) as Source, "NET"));
    return net ? word(net, "CLASS", "1") : "1";
  });
  const chosen = all.find((object) => classes.includes(word(object, "CLASS", "1"))) ?? all[0];
  if (tcp !== chosen) site.leave(tcp, "one for each partner: that of the class of its protocols serves");
}

/** Profiles that only serve what is left out would only ask for certificates. */
function selectProfiles(site: Site): void {
  const users = new Map<string, Source[]>();
  for (const object of site.objects) {
    const { command } = object.kind;
    if (command !== "CFTPROT" && command !== "CFTPART") continue;
    const id = word(object, "SSL");
    if (id === "") continue;
    const own = users.get(id);
    if (own) own.push(object);
    else users.set(id, [object]);
  }
  for (const ssl of site.of("CFTSSL")) {
    const own = users.get(word(ssl, "ID")) ?? [];
    if (own.length === 0 || own.some((object) => !site.left.has(object))) continue;
    site.leave(ssl, "it serves only protocols and partners that are left out");
  }
}

function selectFlows(site: Site): void {
  for (const send of site.of("CFTSEND")) {
    if (word(send, "IMPL") === "YES")
      site.leave(send, "OFTP cannot ask for a file: drop it, and the partner gets it");
  }
  for (const flow of [...site.of("CFTSEND"), ...site.of("CFTRECV"), ...site.of("CFTIDF")]) {
    if (word(flow, "ID") === RELAYED)
      site.leave(flow, "files for others pass through untouched: commut of their senders says whether");
  }
  selectMappings(site);
  for (const dest of site.of("CFTDEST")) selectList(site, dest);
  for (const folder of site.of("CFTFOLDER")) {
    const id = word(folder, "PART");
    const target = site.find("CFTPART", id) ?? site.any("CFTDEST", id) ?? site.any("CFTPART", id);
    if (target && site.left.has(target)) site.leave(folder, `its partner is left out: ${target.title}`);
  }
}

/** Network names for partners that are not carried over, or that are said already. */
function selectMappings(site: Site): void {
  const seen = new Map<string, Source>();
  for (const idf of site.of("CFTIDF")) {
    const id = word(idf, "PART");
    const name = id === "*" ? "" : id;
    const sends = word(idf, "TYPE").startsWith("S");
    const key = sends ? `send ${name} ${word(idf, "ID")}` : `recv ${name} ${word(idf, "NIDF")}`;
    const first = seen.get(key);
    const part = site.any("CFTPART", name);
    if (/[*?]/.test(name)) site.leave(idf, `write one for each partner that ${name} stands for`);
    else if (name !== "" && !part) site.leave(idf, `there is no CFTPART ${name}`);
    else if (part && site.left.has(part)) site.leave(idf, `${part.title} is left out`);
    else if (first)
      site.leave(idf, `${first.title}, ${first.file}:${first.line}, says already what the name stands for`);
    else seen.set(key, idf);
  }
}

/** A list must name partners that are carried over, and not be called like one. */
function selectList(site: Site, dest: Source): void {
  const named = words(dest, "PART");
  const file = fileOfList(dest);
  if (word(dest, "FOR") === "COMMUT") site.leave(dest, "files that are forwarded go to one partner each");
  else if (site.find("CFTPART", word(dest, "ID")))
    site.leave(dest, "a partner has the same id: choose another one for the list");
  else if (named.length > 0 && !named.some((id) => site.find("CFTPART", id)))
    site.leave(dest, "none of its partners is carried over");
  else if (named.length === 0 && !dest.given.has("FNAME")) site.leave(dest, "it names no partners");
  else if (named.length === 0 && "without" in file) site.leave(dest, file.without);
}
