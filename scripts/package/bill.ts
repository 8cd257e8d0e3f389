/** The bill of materials of the package: CycloneDX 1.5 in JSON, without anything that differs from build to build. */
import { createHash } from "node:crypto";
import type { InstalledPackage } from "./closure.ts";

export interface Product {
  name: string;
  version: string;
  description: string;
  license: string;
}

/** `time` in seconds since 1970. The runtime counts as a component like any other. */
export function billOfMaterials(
  product: Product,
  packages: readonly InstalledPackage[],
  time: number,
): string {
  const components = packages.map(component);
  const root = `${product.name}@${product.version}`;
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${nameBasedUuid(JSON.stringify([root, components]))}`,
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": root,
        name: product.name,
        version: product.version,
        description: product.description,
        licenses: [{ license: { id: product.license } }],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((each) => each["bom-ref"]) }],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function component({ name, version, licence, integrity, path }: InstalledPackage) {
  const [algorithm = "", digest = ""] = integrity.split("-", 2);
  return {
    type: "library",
    // a package may be there twice, in different places
    "bom-ref": path,
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    licenses: [licence.includes(" ") ? { expression: licence } : { license: { id: licence } }],
    hashes: [
      { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") },
    ],
  };
}

/** A version 8 UUID from a hash: the same materials, the same number. */
function nameBasedUuid(text: string): string {
  const octets = createHash("sha256").update(text).digest().subarray(0, 16);
  octets[6] = ((octets[6] as number) & 0x0f) | 0x80;
  octets[8] = ((octets[8] as number) & 0x3f) | 0x80;
  const hex = octets.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
