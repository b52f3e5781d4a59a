/** What a user of testcontainers for Node writes. First argument: the folder whose node_modules has it. */
import { createRequire } from "node:module";

const { GenericContainer, Network, Wait } = createRequire(`${process.argv[2]}/`)("testcontainers");

const network = await new Network().start();
const server = await new GenericContainer("busybox")
  .withNetwork(network)
  .withNetworkAliases("server")
  .withExposedPorts(8080)
  .withEnvironment({ WORD: "kept" })
  .withCopyContentToContainer([{ content: "hello from inside\n", target: "/www/index.html" }])
  .withCommand(["sh", "-c", "echo ready; httpd -f -p 8080 -h /www"])
  .withHealthCheck({ test: ["CMD-SHELL", "nc 127.0.0.1 8080 </dev/null"], interval: 100, retries: 50 })
  .withWaitStrategy(Wait.forAll([Wait.forLogMessage("ready"), Wait.forListeningPorts(), Wait.forHealthCheck()]))
  .start();
const page = await fetch(`http://${server.getHost()}:${server.getMappedPort(8080)}/`);
const word = await server.exec(["sh", "-c", "echo $WORD; exit 3"]);
const other = await new GenericContainer("busybox").withNetwork(network).withCommand(["sleep", "1000"]).start();
const byName = await other.exec(["sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc server 8080"]);
console.log(JSON.stringify({ page: await page.text(), word, byName: byName.output }));
await other.stop();
await server.stop();
await network.stop();
