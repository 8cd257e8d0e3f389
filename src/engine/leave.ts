/** The end of every session when the gateway stops: what runs may finish, and every partner hears good-bye. */
import type { Session } from "./session.ts";
import type { Site } from "./site.ts";

/** How long sessions have for their good-bye, ms. */
export const GOOD_BYE = 2_000;
const LOOK_AGAIN = 100;

/**
 * Ends idle sessions at once, the others with their transfer or at the deadline (monotonic, ms), or when `fast` says so.
 * Resolves when all that were open are over.
 */
export async function takeLeave(site: Site, deadline: number, fast: () => boolean): Promise<void> {
  const ended = Promise.all(site.sessions.all.map((session) => session.closed));
  const leaving = new Set<Session>();
  while (site.sessions.all.length > 0) {
    const late = fast() || site.clock.monotonic() >= deadline;
    for (const session of site.sessions.all) {
      // before the session is agreed on there is nobody to say good-bye to
      if (session.agreement === null) session.link.destroy();
      else if (late || session.idle) session.link.end(5, "the gateway is shutting down");
      if (!session.link.over || leaving.has(session)) continue;
      leaving.add(session);
      // a partner that does not close holds nobody up
      site.clock.timer(GOOD_BYE, () => session.link.destroy());
    }
    if (late) break;
    await Promise.race([ended, pause(LOOK_AGAIN)]);
  }
  await Promise.race([ended, pause(GOOD_BYE)]);
  for (const session of site.sessions.all) session.link.destroy();
  await ended;
}

/** A wait that keeps the process alive: the shutdown counts on it. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
