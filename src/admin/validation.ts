/** Requests are checked by JSON Schema 2020-12. Texts of a path or query become numbers; bodies are taken as they are. */
import type { ErrorObject } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import { didYouMean } from "../config/suggestion.ts";
import type { Schema } from "./schema.ts";

const OPTIONS = { allErrors: false, strict: false, validateFormats: false, verbose: true } as const;

export function checkRequests(app: FastifyInstance): void {
  const strict = new Ajv2020(OPTIONS);
  const fromText = new Ajv2020({ ...OPTIONS, coerceTypes: true });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    // octets stream through, whatever they are
    if ((schema as Schema).format === "binary") return (given: unknown) => ({ value: given });
    const validate = (httpPart === "body" ? strict : fromText).compile(schema as object);
    return (given: unknown) => {
      // no body at all, where one need not be
      const data = given ?? null;
      if (validate(data)) return { value: data };
      const [error] = validate.errors ?? [];
      return { error: new Error(sentence(httpPart ?? "request", error)) };
    };
  });
  // answers go out as they are: schemas describe them, and tests hold them to it
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setSchemaErrorFormatter((errors, part) => {
    const [error] = errors;
    return error instanceof Error ? error : new Error(`${part}: ${error?.message ?? "not understood"}`);
  });
}

const PLACES: Readonly<Record<string, string>> = {
  body: "the body",
  querystring: "the query",
  params: "the path",
  headers: "the headers",
};

function sentence(part: string, error: ErrorObject | undefined): string {
  const where = `${PLACES[part] ?? part}${(error?.instancePath ?? "").replaceAll("/", ".")}`;
  if (error === undefined) return `${where} is not understood`;
  const { keyword, params, schema, message } = error;
  if (keyword === "additionalProperties") {
    const known = Object.keys((error.parentSchema?.properties as object) ?? {});
    const name = String(params.additionalProperty);
    return `${where} has an unknown key "${name}"${didYouMean(name, known)}`;
  }
  if (keyword === "enum") return `${where} must be one of ${(schema as unknown[]).join(", ")}`;
  return `${where} ${message}`;
}
