import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc, which is 100 on every Linux that node runs on. */
const TICKS = 100;

/** CPU time that a process has used, in seconds, or `NaN` where the system does not tell. */
export function cpuSeconds(pid: number): number {
  const fields = readStat(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Memory that a process holds, in bytes, or `NaN`. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return NaN;
  }
}

/** The workerd processes that this process has started. */
export function ownWorkerds(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => readCommand(pid) === "workerd" && Number(readStat(pid)[1]) === process.pid);
  } catch {
    return [];
  }
}

/** The fields of /proc/<pid>/stat after the command, which is in parentheses and may hold spaces: state first. */
function readStat(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
