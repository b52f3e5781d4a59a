import { totalmem } from "node:os";
import type { Stats } from "#containers/lifecycle/contract.ts";

function cpu(reading: Stats | undefined): object {
  return {
    cpu_usage: {
      total_usage: reading?.cpu.totalNs ?? 0,
      ...(reading?.version === "v2" ? {} : { percpu_usage: reading?.cpu.perCpuNs ?? [] }),
      usage_in_kernelmode: reading?.cpu.systemNs ?? 0,
      usage_in_usermode: reading?.cpu.userNs ?? 0,
    },
    ...(reading === undefined ? {} : { system_cpu_usage: reading.cpu.hostNs, online_cpus: reading.cpu.online }),
    throttling_data: {
      periods: reading?.cpu.periods ?? 0,
      throttled_periods: reading?.cpu.throttledPeriods ?? 0,
      throttled_time: reading?.cpu.throttledNs ?? 0,
    },
  };
}

function memory({ memory: { usage, maximum, limit, failures, stat }, version }: Stats): object {
  return {
    usage,
    // Cgroup v2 has neither, and clients take a number for one that was counted.
    ...(version === "v2" ? {} : { max_usage: maximum, failcnt: failures }),
    // Without a limit the machine's memory is one.
    limit: Math.min(limit, totalmem()),
    stats: stat,
  };
}

/** Each kind of list, as cgroup v1 had them; Docker fills two and leaves the rest. */
function blockIo({ blockIo: items, version }: Stats): object {
  const entries = (value: "bytes" | "count") =>
    items.map(({ major, minor, op, [value]: number }) => ({ major, minor, op, value: number }));
  const empty = version === "v2" ? null : [];
  return {
    io_service_bytes_recursive: entries("bytes"),
    io_serviced_recursive: version === "v2" ? null : entries("count"),
    io_queue_recursive: empty,
    io_service_time_recursive: empty,
    io_wait_time_recursive: empty,
    io_merged_recursive: empty,
    io_time_recursive: empty,
    sectors_recursive: empty,
  };
}

const noTime = "0001-01-01T00:00:00Z";

/** One message of GET /containers/{id}/stats. One that does not run has names and zeros. */
export function statsShape(id: string, name: string, reading: Stats, before: Stats | undefined): object {
  const head = { name: `/${name}`, id, os_type: "linux" };
  if (!reading.running) {
    const none = {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    };
    const rest = {
      pids_stats: {},
      networks: {},
      memory_stats: {},
      blkio_stats: {},
      cpu_stats: none,
      precpu_stats: none,
    };
    return { ...head, read: noTime, preread: noTime, ...rest, num_procs: 0, storage_stats: {} };
  }
  return {
    ...head,
    read: new Date(reading.readAt).toISOString(),
    preread: before === undefined ? noTime : new Date(before.readAt).toISOString(),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(reading),
    precpu_stats: cpu(before),
    memory_stats: memory(reading),
    pids_stats: {
      current: reading.pids.current,
      ...(reading.pids.limit === undefined ? {} : { limit: reading.pids.limit }),
    },
    blkio_stats: blockIo(reading),
    networks: Object.fromEntries(
      Object.entries(reading.networks).map(([device, counts]) => [
        device,
        {
          rx_bytes: counts.rxBytes,
          rx_packets: counts.rxPackets,
          rx_errors: counts.rxErrors,
          rx_dropped: counts.rxDropped,
          tx_bytes: counts.txBytes,
          tx_packets: counts.txPackets,
          tx_errors: counts.txErrors,
          tx_dropped: counts.txDropped,
        },
      ]),
    ),
  };
}
