import { eachEnded } from "../each-container.ts";

export const verb = eachEnded("stop");
