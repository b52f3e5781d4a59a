/** Where a registry is: Docker Hub's API has another host than its images' names. */
export function registryOrigin(domain: string): string {
  if (domain === "docker.io") return "https://registry-1.docker.io";
  return `${isLoopback(domain) ? "http" : "https"}://${domain}`;
}

/** 127.0.0.0/8, ::1 and localhost: reached without TLS, as docker does. */
export function isLoopback(domain: string): boolean {
  const host = domain.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
