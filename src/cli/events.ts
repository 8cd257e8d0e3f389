/** Server-sent events, taken apart (WHATWG HTML, section 9.2.6). */

export interface ServerEvent {
  id: string;
  /** "message" where none is named. */
  event: string;
  data: string;
}

/** The events of a stream, until it ends. Comments, which only keep it alive, are left out. */
export async function* readEvents(stream: AsyncIterable<Buffer>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let torn = "";
  let found: ServerEvent = { id: "", event: "message", data: "" };
  let said = false;
  for await (const chunk of stream) {
    const lines = (torn + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    torn = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (said) yield found;
        found = { id: found.id, event: "message", data: "" };
        said = false;
        continue;
      }
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === "id") found.id = value;
      else if (field === "event") found.event = value;
      else if (field === "data") {
        found.data += said ? `\n${value}` : value;
        said = true;
      }
    }
  }
}
