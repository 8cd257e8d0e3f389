/** A partner that is called and speaks OFTP by hand: what it does on each call is the test's. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Command, Sfid } from "../../src/oftp/wire/commands.ts";
import { Raw, RTR, ssid, words } from "./extra.ts";

/** What the partner does on one call. */
export type Conduct = (raw: Raw) => Promise<void>;

export class Callee {
  readonly port: number;
  /** Calls so far. */
  calls = 0;
  /** Calls in which it has done all that it will do. */
  done = 0;
  /** What it does from now on. */
  conduct: Conduct;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, conduct: Conduct) {
    this.#server = server;
    this.conduct = conduct;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen(conduct: Conduct, port = 0): Promise<Callee> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve());
    });
    const callee = new Callee(server, conduct);
    server.on("connection", (socket) => callee.#called(socket));
    return callee;
  }

  #called(socket: Socket): void {
    this.calls += 1;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // the caller hangs up in the middle of many a sentence: what matters is seen in its records
    this.conduct(Raw.accept(socket))
      .catch(() => socket.destroy())
      .finally(() => {
        this.done += 1;
      });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const esid = (reas: number): Command => ({ type: "ESID", reas, reast: "said by hand" });

/** SSRM, and the caller's SSID. */
async function greeted(raw: Raw): Promise<void> {
  raw.send({ type: "SSRM", message: "ODETTE FTP READY " });
  await raw.expect("SSID");
}

/** Opens the session and takes the caller's first file up to its offer. */
async function asked(raw: Raw, code: string): Promise<Sfid> {
  await greeted(raw);
  raw.send(ssid({ code, pswd: "", sdeb: 128, cred: 1 }));
  return raw.expect("SFID");
}

/** Everything a partner can do wrong, and one that is right. `code`: by which it calls itself. */
export const conducts = {
  hangUp: async (raw: Raw) => raw.close(),
  silent: async () => {},
  cut: async (raw: Raw) => {
    await greeted(raw);
    raw.close();
  },
  refuse: (reas: number) => async (raw: Raw) => {
    await greeted(raw);
    raw.send(esid(reas));
    await raw.rest();
  },
  stranger: async (raw: Raw) => {
    await greeted(raw);
    raw.send(ssid({ code: "O0999STRANGER", pswd: "" }));
    await raw.rest();
  },
  decline: (code: string, reas: number, rrtr: boolean) => async (raw: Raw) => {
    await asked(raw, code);
    raw.send({ type: "SFNA", reas, rrtr, reast: "declined by hand" });
    await goodBye(raw);
  },
  silentInFile: (code: string) => async (raw: Raw) => {
    await asked(raw, code);
  },
  cutInFile: (code: string) => async (raw: Raw) => {
    await asked(raw, code);
    raw.close();
  },
  endInFile: (code: string, reas: number) => async (raw: Raw) => {
    await asked(raw, code);
    raw.send(esid(reas));
    await raw.rest();
  },
  nonsenseInFile: (code: string) => async (raw: Raw) => {
    await asked(raw, code);
    raw.send(RTR);
    await raw.rest();
  },
  /** Takes the file to its end and says EFNA, or EFPA for 0. */
  take:
    (code: string, reas = 0) =>
    async (raw: Raw) => {
      await asked(raw, code);
      raw.send({ type: "SFPA", acnt: 0n });
      for (;;) {
        const received = await raw.next();
        if (received?.type === "EFID") break;
        if (received?.type !== "DATA") throw new Error(`DATA was expected, ${words(received)} came`);
        raw.send({ type: "CDT" });
      }
      raw.send(reas === 0 ? { type: "EFPA", cd: false } : { type: "EFNA", reas, reast: "not taken by hand" });
      await goodBye(raw);
    },
} as const;

/** Lets the caller have the session as long as it likes. */
async function goodBye(raw: Raw): Promise<void> {
  for (;;) {
    const received = await raw.next();
    if (received === null) return;
    if (received.type === "CD") raw.send({ type: "ESID", reas: 0, reast: "" });
    if (received.type === "ESID") raw.socket.end();
  }
}
