import type { Column } from "./output/list.ts";
import { shortId, size } from "./output/words.ts";

/** What the columns need of one answer of GET /containers/{id}/stats (Docker Engine API v1.51). */
export interface Reading {
  readonly cpu_stats: CpuReading;
  readonly precpu_stats: CpuReading;
  readonly memory_stats: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>> | null;
  };
  readonly pids_stats: { readonly current?: number };
  readonly blkio_stats: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

interface CpuReading {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** One container's line; the reading is replaced as new ones come. */
export interface Row {
  readonly id: string;
  readonly name: string;
  /** As the user named it. */
  readonly asked: string;
  running: boolean;
  reading: Reading | undefined;
}

/** Percent of one processor; several busy ones give more than 100. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: Reading): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  if (before.system_cpu_usage === undefined || used <= 0 || passed <= 0) return 0;
  return (used / passed) * (now.online_cpus ?? 1) * 100;
}

/** Without the page cache that the kernel gives back at need, as docker counts (cgroup v1, then v2). */
export function memoryUsage({ memory_stats: { usage = 0, stats } }: Reading): number {
  const inactive = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

/** "12.3MiB": binary units with at most four digits. */
export function binarySize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

function network({ networks = {} }: Reading): string {
  const all = Object.values(networks);
  const sum = (field: "rx_bytes" | "tx_bytes") => all.reduce((total, device) => total + device[field], 0);
  return `${size(sum("rx_bytes"))} / ${size(sum("tx_bytes"))}`;
}

function blocks({ blkio_stats: { io_service_bytes_recursive: items } }: Reading): string {
  const sum = (op: string) =>
    (items ?? []).reduce((total, item) => total + (item.op.toLowerCase() === op ? item.value : 0), 0);
  return `${size(sum("read"))} / ${size(sum("write"))}`;
}

/** Docker's columns; a container without a reading has dashes. */
export function columns(trunc: boolean): Column<Row>[] {
  const of = (show: (reading: Reading) => string, none = "--") => ({
    cell: (row: Row) => (row.reading === undefined ? none : show(row.reading)),
  });
  const memoryPercent = (reading: Reading) => {
    const limit = reading.memory_stats.limit ?? 0;
    return limit === 0 ? 0 : (memoryUsage(reading) / limit) * 100;
  };
  return [
    { title: "CONTAINER ID", field: "ID", cell: (row) => (trunc ? shortId(row.id) : row.id) },
    { title: "NAME", field: "Name", cell: (row) => row.name },
    { title: "CPU %", field: "CPUPerc", ...of((reading) => `${cpuPercent(reading).toFixed(2)}%`) },
    {
      title: "MEM USAGE / LIMIT",
      field: "MemUsage",
      ...of(
        (reading) => `${binarySize(memoryUsage(reading))} / ${binarySize(reading.memory_stats.limit ?? 0)}`,
        "-- / --",
      ),
    },
    { title: "MEM %", field: "MemPerc", ...of((reading) => `${memoryPercent(reading).toFixed(2)}%`) },
    { title: "NET I/O", field: "NetIO", ...of(network) },
    { title: "BLOCK I/O", field: "BlockIO", ...of(blocks) },
    { title: "PIDS", field: "PIDs", ...of((reading) => String(reading.pids_stats.current ?? 0)) },
    { title: "", field: "Container", cell: (row) => row.asked },
  ];
}
