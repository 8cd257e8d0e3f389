/** The exchange with thousands of files and with files of gigabytes. */
import { test } from "tap";
import { exchange } from "../gateway/arrivals.ts";

const MiB = 1024 * 1024;

test("5,000 files each way over TLS", async (t) => {
  const sizes = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 100_000);
  await exchange(t, { prot: ["OFTPS"] }, sizes, 900_000);
});

for (const prot of ["OFTP", "OFTPS"] as const) {
  test(`3 GiB each way, ${prot === "OFTP" ? "in clear" : "over TLS"}, with small files behind`, async (t) => {
    await exchange(t, { prot: [prot] }, [3072 * MiB, 0, 1, 64, 5 * MiB], 900_000);
  });
}
