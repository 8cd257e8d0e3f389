/** PKIENTITY: lists of certificates that ROOTCID may name instead of each certificate. */
import { words } from "./objects.ts";
import type { Site } from "./site.ts";

/** Ids of the certificates of an entity, folded; undefined when there is no entity of that name. */
export function entityMembers(site: Site, id: string): string[] | undefined {
  const entity = site.any("PKIENTITY", id);
  if (!entity) return undefined;
  // the list often stands in double quotes as a whole: "('CA1', 'CA2')"
  return words(entity, "CERTIFICATES").flatMap((text) =>
    text
      .toUpperCase()
      .split(/[\s,()'‘’"]+/)
      .filter((part) => part !== ""),
  );
}
