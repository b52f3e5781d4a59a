const hidden = "[removed]";

/**
 * Takes out what looks like a password, a token or a header that carries one. A report is meant to be posted where
 * everybody reads it, so it rather removes too much.
 */
export function redact(text: string): string {
  return text
    .replace(
      /\b((?:proxy-)?authorization|x-registry-auth|x-registry-config|cookie|set-cookie)\b(["']?\s*[:=]).*$/gim,
      `$1$2 ${hidden}`,
    )
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${hidden}`)
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`)
    .replace(
      /((?:[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?[\w-]*|\bauth|\bpass|\bpwd)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&"'}]+)/gi,
      `$1${hidden}`,
    )
    .replace(/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?/g, hidden)
    .replace(/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|dckr_pat_)[\w-]{10,}/g, hidden)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden);
}
