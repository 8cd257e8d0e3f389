/** The HTTP application: who may come, what is answered, and every topic. It knows no listener. */
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { version } from "../platform/version.ts";
import { Api, type Context } from "./api.ts";
import { guard } from "./guard.ts";
import { answerRefusals } from "./refusal.ts";
import { addShapes } from "./shapes.ts";
import { TOPICS } from "./topics.ts";
import { checkRequests } from "./validation.ts";

/** Longest body that is read into memory, octets. Uploads stream and are not bound by it. */
const LARGEST_BODY = 1024 * 1024;

export async function buildApp(parts: Omit<Context, "document">): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: LARGEST_BODY,
    // prototypes of objects are not for strangers
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    return503OnClosing: true,
    routerOptions: { maxParamLength: 200 },
  });
  const context: Context = { ...parts, document: () => app.swagger() };
  app.decorateRequest("caller", null);
  app.decorateRequest("refused", "");
  app.decorateRequest("trouble", null);
  checkRequests(app);
  answerRefusals(app);
  guard(app, context);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Cygnet",
        version: version(),
        description: "The OFTP2 gateway's administration.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "The token of an [[apiuser]]." },
          // of OpenAPI 3.1, which the library's types do not have yet
          certificate: { type: "mutualTLS", description: "The certificate of an [[apiuser]]." } as never,
        },
      },
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
  });
  addShapes(app);
  // uploads go through as they come
  app.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));
  const api = new Api(app);
  for (const topic of TOPICS) topic(api, context);
  await app.ready();
  return app;
}
