"""What a user of Docker's library for Python writes."""
import io
import json
import tarfile

import docker

client = docker.from_env()
seen = {"ping": client.ping(), "run": client.containers.run("busybox", "echo from python", remove=True).decode()}

container = client.containers.create(
    "busybox", ["sh", "-c", "cat /in/text; sleep 1000"], name="sdk", labels={"a": "b"}, ports={"80/tcp": None}
)
folder = io.BytesIO()
with tarfile.open(fileobj=folder, mode="w") as tar:
    member = tarfile.TarInfo("in/text")
    member.size = 5
    tar.addfile(member, io.BytesIO(b"hello"))
container.put_archive("/", folder.getvalue())
container.start()
container.reload()
seen["status"] = container.status
seen["port"] = container.ports["80/tcp"][0]["HostIp"]
code, output = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
seen["exec"] = [code, output[0].decode(), output[1].decode()]
seen["logs"] = container.logs().decode()
stream, facts = container.get_archive("/in/text")
with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
    seen["copied"] = tar.extractfile("text").read().decode()
seen["stats"] = container.stats(stream=False)["memory_stats"]["usage"] > 0
image, _ = client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN echo built > /made\n"), tag="sdk:1", rm=True)
seen["build"] = client.containers.run("sdk:1", "cat /made", remove=True).decode()
volume = client.volumes.create("sdk")
network = client.networks.create("sdk")
network.connect(container)
container.reload()
seen["networks"] = sorted(container.attrs["NetworkSettings"]["Networks"])
seen["listed"] = [one.name for one in client.containers.list(filters={"label": "a=b"})]
container.stop(timeout=0)
seen["exit"] = container.wait()["StatusCode"]
container.remove()
network.remove()
volume.remove()
try:
    client.containers.get("sdk")
except docker.errors.NotFound:
    seen["gone"] = True
print(json.dumps(seen))
