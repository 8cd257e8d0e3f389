export interface Delay {
  during: string;
  trips: number;
  trip: { p50: number; p99: number; most: number };
  loop: { p50: number; p99: number; most: number };
}
export async function delays(_folder: string, _plain: string): Promise<Delay[]> {
  return [];
}
