import { type Digest, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import type { Catalogue } from "./contract.ts";

/** What refers to a subject, as an index of at most 4 MiB a page (distribution-spec, "Listing Referrers"). */
export function listReferrers(catalogue: Catalogue, repository: string, subject: Digest, url: URL): Response {
  const artifactType = url.searchParams.get("artifactType");
  const last = url.searchParams.get("last") ?? undefined;
  const manifests: object[] = [];
  let size = 0;
  let next: string | undefined;
  for (const { digest, mediaType, size: bytes, artifactType: type, annotations } of catalogue.referrers(
    repository,
    subject,
    last,
  )) {
    if (artifactType !== null && type !== artifactType) continue;
    const descriptor = {
      mediaType,
      digest,
      size: bytes,
      ...(type === undefined ? {} : { artifactType: type }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    size += JSON.stringify(descriptor).length * 3 + 1;
    if (manifests.length > 0 && size > documentLimit) break;
    manifests.push(descriptor);
    next = digest;
  }
  const headers: Record<string, string> = { "Content-Type": mediaTypes.index };
  if (artifactType !== null) headers["OCI-Filters-Applied"] = "artifactType";
  if (next !== undefined && size > documentLimit) {
    const query = new URLSearchParams({ last: next, ...(artifactType === null ? {} : { artifactType }) });
    headers.Link = `</v2/${repository}/referrers/${subject}?${query}>; rel="next"`;
  }
  return new Response(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }), { headers });
}
