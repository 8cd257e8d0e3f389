/** The API's OpenAPI document without a running gateway: for docs/openapi.json. */
import type { Gateway } from "../engine/gateway.ts";
import { buildApp } from "./app.ts";

/** OpenAPI 3.1. It depends on nothing but the code. */
export async function describeApi(): Promise<object> {
  // routes are declared, and none of them is ever asked
  const nothing = { site: {} } as unknown as Gateway;
  const app = await buildApp({ gateway: nothing, shut: () => {}, streams: new Set() } as never);
  try {
    return app.swagger();
  } finally {
    await app.close();
  }
}
