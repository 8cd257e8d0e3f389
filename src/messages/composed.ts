/** DIAGP that are put together of several codes, in Transfer CFT's forms. */
import { type Meaning, meaningOf } from "./codes.ts";

function known(...found: (Meaning | undefined)[]): Meaning[] {
  return found.filter((meaning) => meaning !== undefined);
}

/** An error of the operating system, as the second part of a network DIAGP. */
function systemError(digits: string): Meaning | undefined {
  const number = Number.parseInt(digits, 16);
  if (Number.isNaN(number) || number === 0 || number >= 0x1f4) return undefined;
  const code = digits.toUpperCase().padStart(3, "0");
  const means = `The system's error number ${number}; \`errno ${number}\` gives its words.`;
  return {
    kind: "TCP",
    code,
    name: "error of the system",
    means,
    action: "Look at the text of the line in the log.",
  };
}

function diagnosticOf(digits: string): Meaning | undefined {
  return meaningOf("TCP", digits.padStart(3, "0")) ?? systemError(digits);
}

/** Each form with what its parts mean. */
const COMPOSED: readonly [RegExp, (parts: string[]) => Meaning[]][] = [
  [
    /^[LR] ([\dA-F]{1,2})(?: ([\dA-F]{1,3}))?$/,
    ([reason = "", diagnostic]) =>
      known(
        meaningOf("TCP", reason.padStart(2, "0")),
        diagnostic === undefined ? undefined : diagnosticOf(diagnostic),
      ),
  ],
  [
    /^([12]\d\d) ([\dA-F]{4})$/,
    ([reason = "", hex = ""]) => known(meaningOf("DIAGP", reason), meaningOf("HEX", hex)),
  ],
  [
    /^([A-Z]{3}) ([\dA-F]{4})$/,
    ([command = "", hex = ""]) => known(meaningOf("DIAGP", command), meaningOf("HEX", hex)),
  ],
  [/^PKI[ISE]? ?(?:[ISE] )?(\d{1,3})$/, ([alert = ""]) => known(meaningOf("TLS", alert))],
  [
    /^CP (\d{1,3}) ?%$/,
    ([percent = ""]) => {
      const means = `The transfer has ended well; compression has saved ${percent} percent.`;
      return [{ kind: "DIAGP", code: `CP ${percent}%`, name: "compressed", means, action: "Nothing to do." }];
    },
  ],
  [
    /^E(\d\d)S(\d\d)$/,
    ([event = "", state = ""]) => {
      const means = `The protocol of Transfer CFT met its event ${event} in its state ${state}, where it may not come.`;
      const action = "Compare the protocol traces of both sides.";
      return [{ kind: "DIAGP", code: `E${event}S${state}`, name: "event out of place", means, action }];
    },
  ],
];

/** What a composed DIAGP means, part by part: `R 00 2F2`, `102 0402`, `SSI 0205`, `PKI 48`, `CP 45%`, `E12S05`; in capitals. */
export function composed(asked: string): Meaning[] {
  for (const [form, meanings] of COMPOSED) {
    const parts = form.exec(asked.replace(/^DIAGP[\s:=]+/, ""));
    const found = parts === null ? [] : meanings(parts.slice(1));
    if (found.length > 0) return found;
  }
  return [];
}
