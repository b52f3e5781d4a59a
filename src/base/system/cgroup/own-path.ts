/** The cgroup a process is in, from its /proc/<pid>/cgroup. */
export function pathOfV1(text: string, controller: string): string {
  const line = text.split("\n").find((candidate) => candidate.split(":")[1]?.split(",").includes(controller));
  return line?.split(":").slice(2).join(":") ?? "/";
}

export function pathOfV2(text: string): string {
  return (
    text
      .split("\n")
      .find((line) => line.startsWith("0::"))
      ?.slice(3) ?? "/"
  );
}
