/** A TLS port whose connections are greeted, with a journal of its own. */
import { Admission, type AdmissionRules } from "../../src/net/admission.ts";
import type { Connection } from "../../src/net/connection.ts";
import { type Listener, listen } from "../../src/net/listener.ts";
import type { ServerTls } from "../../src/net/tls.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { Recorder } from "./recorder.ts";

export interface Gate {
  journal: Recorder;
  connections: Connection[];
  admission: Admission;
  listener: Listener;
  port: number;
}

/** Says READY and ends, where nothing else is given. */
export async function open(
  tls: () => ServerTls,
  greet = (one: Connection) => void one.stream.end("READY\n"),
  { clock = systemClock, ...rules }: Partial<AdmissionRules> & { clock?: Clock } = {},
): Promise<Gate> {
  const journal = new Recorder();
  const connections: Connection[] = [];
  const admission = new Admission("N1", { maxcnx: 50, allow: [], deny: [], ...rules }, journal, clock);
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    tls,
    admission,
    keepalive: 60_000,
    handshakeTimeout: 20_000,
    onConnection(connection) {
      connections.push(connection);
      connection.stream.resume();
      greet(connection);
    },
    journal,
    prot: "OFTPS",
    clock,
  });
  return { journal, connections, admission, listener, port: listener.address.port };
}
