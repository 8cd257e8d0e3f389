/** A program of its own, to be run with few file descriptors: a listener that says its port and what it journals. */
import { Admission } from "../../src/net/admission.ts";
import { listen } from "../../src/net/listener.ts";
import { systemClock } from "../../src/platform/clock.ts";

const journal = {
  emit(id: string, variables?: Record<string, unknown>) {
    console.log(id, variables?.sap ?? variables?.text ?? "");
  },
};
const admission = new Admission("N1", { maxcnx: 1000, allow: [], deny: [] }, journal, systemClock);
await listen({
  host: "127.0.0.1",
  port: 0,
  admission,
  keepalive: 0,
  handshakeTimeout: 1000,
  journal,
  prot: "OFTP",
  onConnection({ stream }) {
    stream.resume();
    stream.write("READY\n");
  },
});
