import { eachContainer } from "../each-container.ts";

export const verb = eachContainer("unpause");
