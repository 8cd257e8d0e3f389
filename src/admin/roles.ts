/** Who may do what: each role may do all that the one before it may. */

/** read: look at everything but secrets. operate: move transfers and partners. admin: change what the gateway is. */
export const ROLES = ["read", "operate", "admin"] as const;

export type Role = (typeof ROLES)[number];

/** What a route asks for; "anyone" also serves callers who have not said who they are. */
export type Need = Role | "anyone";

/** True when a caller with this role may use a route that asks for `need`; null is nobody in particular. */
export function may(role: Role | null, need: Need): boolean {
  if (need === "anyone") return true;
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(need);
}
