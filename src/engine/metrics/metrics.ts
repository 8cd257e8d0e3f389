/**
 * The metrics of one gateway, in Prometheus' text format, in a registry of their own.
 *
 * Invariants
 * - Counting is done where the log is told (`heard.ts`); what moves data knows nothing of it.
 * - Measuring is done when somebody asks (`gauges.ts`), one at a time.
 * - The number of series is bounded: partners are those of the configuration, all others are counted as "".
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Told } from "../../messages/logger.ts";
import type { Gateway } from "../gateway.ts";
import { type Definition, METRICS, type MetricName, PROCESS_METRICS } from "./definitions.ts";
import { measure } from "./gauges.ts";
import { countsOf } from "./heard.ts";
import { LoopDelay } from "./loop-delay.ts";

export class Metrics {
  /** Of what `text` gives. */
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #gateway: Gateway;
  readonly #registry = new Registry();
  readonly #all = new Map<string, Counter | Gauge | Histogram>();
  readonly #delay = new LoopDelay();
  #measuring: Promise<unknown> = Promise.resolve();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    for (const [name, definition] of Object.entries(METRICS))
      this.#all.set(name, this.#make(name, definition));
    // its own measure of the loop is never set back, so it is not looked at
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 60_000 });
    for (const name of this.names) {
      if (!(name in METRICS) && !(name in PROCESS_METRICS)) this.#registry.removeSingleMetric(name);
    }
    gateway.journal.listen((told) => this.#hear(told));
  }

  get names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** All of it, as it is now. */
  text(): Promise<string> {
    const measured = this.#measuring.then(() => this.#measured());
    this.#measuring = measured.catch(() => undefined);
    return measured;
  }

  stop(): void {
    this.#delay.stop();
  }

  async #measured(): Promise<string> {
    for (const metric of this.#all.values()) if (metric instanceof Gauge) metric.reset();
    await measure(this.#gateway, (name, labels, value) => {
      const metric = this.#all.get(name);
      if (metric instanceof Gauge) return metric.set(labels, value);
      // counted elsewhere: what is new since the last time is added
      if (metric instanceof Counter) metric.inc(labels, value - this.#taken(name, labels, value));
    });
    for (const [quantile, seconds] of Object.entries(this.#delay.take())) {
      (this.#all.get("cygnet_event_loop_delay_seconds") as Gauge).set({ quantile }, seconds);
    }
    return this.#registry.metrics();
  }

  readonly #before = new Map<string, number>();

  /** What of a count that is kept elsewhere has been added already. */
  #taken(name: MetricName, labels: Record<string, string>, value: number): number {
    const key = `${name} ${Object.values(labels).join(" ")}`;
    const before = this.#before.get(key) ?? 0;
    this.#before.set(key, value);
    return before;
  }

  #make(name: string, { kind, help, labels, buckets }: Definition): Counter | Gauge | Histogram {
    const settings = { name, help, labelNames: labels, registers: [this.#registry] };
    if (kind === "counter") return new Counter(settings);
    if (kind === "gauge") return new Gauge(settings);
    return new Histogram({ ...settings, buckets: [...(buckets ?? [])] });
  }

  #hear(told: Told): void {
    for (const { metric: name, labels = {}, value = 1 } of countsOf(told)) {
      const metric = this.#all.get(name);
      const known = this.#bounded(labels);
      if (metric instanceof Histogram) metric.observe(known, value);
      else metric?.inc(known, value);
    }
  }

  #bounded(labels: Record<string, string>): Record<string, string> {
    const { partner } = labels;
    if (partner === undefined || this.#gateway.site.configuration.cftpart.has(partner)) return labels;
    return { ...labels, partner: "" };
  }
}
