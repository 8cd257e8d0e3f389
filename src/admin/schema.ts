/** JSON Schemas of requests and answers, in few words. Every key of an object is there unless it is named as optional. */

export interface Schema {
  readonly [word: string]: unknown;
}

export const text: Schema = { type: "string" };
export const integer: Schema = { type: "integer" };
export const number: Schema = { type: "number" };
export const flag: Schema = { type: "boolean" };
/** ISO 8601 in UTC. */
export const instant: Schema = { type: "string", format: "date-time" };

/** With a sentence for the manual. */
export const about = (schema: Schema, description: string): Schema => ({ ...schema, description });
export const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
export const list = (items: Schema): Schema => ({ type: "array", items });
export const oneOf = (...values: readonly (string | number)[]): Schema => ({ enum: values });
/** Keys are data, as ids are. */
export const map = (values: Schema): Schema => ({ type: "object", additionalProperties: values });
/** A schema that has a name in the document. */
export const named = (name: string): Schema => ({ $ref: `${name}#` });

/** Keys whose name ends in `?` may be missing; others than these are refused. */
export function object(properties: Record<string, Schema>): Schema {
  const entries = Object.entries(properties);
  const required = entries.map(([key]) => key).filter((key) => !key.endsWith("?"));
  return {
    type: "object",
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(entries.map(([key, schema]) => [key.replace(/\?$/, ""), schema])),
    additionalProperties: false,
  };
}

/** An object schema without its `additionalProperties`, with more keys. */
export function extended(base: Schema, properties: Record<string, Schema>): Schema {
  const more = object(properties);
  const both = (key: string) => ({ ...(base[key] as object), ...(more[key] as object) });
  const required = [...((base.required as string[]) ?? []), ...((more.required as string[]) ?? [])];
  return { ...more, required, properties: both("properties") };
}
