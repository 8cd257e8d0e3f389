import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { NetError } from "./failure.ts";
import type { Standing } from "./lockouts.ts";
import type { TlsFacts } from "./tls-facts.ts";

export interface Endpoint {
  /** IPv4 or IPv6 address; an IPv4 caller on an IPv6 port is shown as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A line that is up: TCP connected, and over TLS the handshake done. */
export interface Connection {
  /** Unique; for TLS also the CTX of its messages. */
  readonly id: string;
  /**
   * A net.Socket or TLSSocket. Its errors are always listened to here, so an owner without an error handler loses
   * nothing but the news; "close" always follows. The other side's end ends ours too (no half-open lines).
   */
  readonly stream: Socket;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** null = clear text. */
  readonly secure: TlsFacts | null;
  readonly inbound: boolean;
  /** Why the line broke, when it was not by a proper close. Complete once the stream has closed. */
  readonly failure: NetError | null;
  /** To be called when the caller has proved who it is: from then on it is not displaced by newcomers. */
  recognised(): void;
  /** What the caller's address has on its account; absent where we called. */
  readonly standing?: Standing;
}

/** A new connection id: twelve hexadecimal digits. */
export function connectionId(): string {
  return randomBytes(6).toString("hex").toUpperCase();
}

/** `address:port`, the address in brackets when it is IPv6. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Makes the connection of a stream and keeps an eye on its errors.
 * `judge` turns the stream's first error into the connection's failure.
 */
export function connection(
  stream: Socket,
  facts: Pick<Connection, "id" | "remote" | "local" | "secure" | "inbound" | "recognised" | "standing">,
  judge: (error: unknown) => NetError,
): Connection {
  let failure: NetError | null = null;
  stream.on("error", (error) => {
    failure ??= judge(error);
    stream.destroy(); // Node leaves a TLS socket open after a TLS error
  });
  return {
    ...facts,
    stream,
    get failure() {
      return failure;
    },
  };
}
