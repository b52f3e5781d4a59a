import { expect, test } from "bun:test";
import { throughMachine } from "./address.ts";

test("the machine's loopback is reached by its other address, and the server is told the name asked for", () => {
  expect(throughMachine("http://127.0.0.1:5000/v2/", "10.0.2.2")).toEqual({
    url: "http://10.0.2.2:5000/v2/",
    headers: { Host: "127.0.0.1:5000" },
  });
  expect(throughMachine("http://localhost/v2/", "10.0.2.2").url).toBe("http://10.0.2.2/v2/");
});

test("other hosts, and every host where the loopback is our own, are reached as they are named", () => {
  const elsewhere = "https://registry.example/v2/";
  expect(throughMachine(elsewhere, "10.0.2.2")).toEqual({ url: elsewhere, headers: {} });
  expect(throughMachine("http://127.0.0.1:5000/v2/", undefined).headers).toEqual({});
});
