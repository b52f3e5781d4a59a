/** Where a registry is: Docker Hub's API has another host than its images' names. */
export function registryOrigin(domain: string): string {
  if (domain === "docker.io") return "https://registry-1.docker.io";
  const host = domain.replace(/:\d+$/, "");
  return `${isLoopback(host) ? "http" : "https"}://${domain}`;
}

/** 127.0.0.0/8, ::1 and localhost: reached without TLS, as docker does. A host as in a URL, without its port. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Where to connect for a URL of the machine's loopback: the server is still told the name it was asked for. */
export function throughMachine(
  text: string,
  machineLoopback: string | undefined,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(text);
  if (machineLoopback === undefined || !isLoopback(url.hostname)) return { url: text, headers: {} };
  const { host } = url;
  url.hostname = machineLoopback;
  return { url: url.href, headers: { Host: host } };
}

/** Addresses that only this machine or its cloud answers, among them the metadata services that hand out secrets. */
export function isLinkLocal(host: string): boolean {
  return (
    /^169\.254\./.test(host) ||
    /^\[(fe[89ab][0-9a-f]:|::ffff:a9fe:|fd00:ec2:)/i.test(host) ||
    host === "100.100.100.200" ||
    /^metadata(\.google\.internal)?\.?$/i.test(host)
  );
}
