import { serveConnections } from "#images/registry/worker/serve.ts";

serveConnections();
