import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";

const qualities =
  "amber brisk calm clear deep eager fair fleet gentle grand hale keen kind light lucid mellow neat noble plain proud quick quiet rapid ready sound stark steady still sturdy swift trusty vivid warm wise".split(
    " ",
  );
const things =
  "anchor barge beacon berth boom brig buoy cable canal capstan cargo clipper cog crane davit deck derrick dock ferry frigate galley harbor hatch hoist hull jetty keel ketch lighter mast mole pier pilot pulley quay rudder sloop tender tug wharf winch yawl".split(
    " ",
  );

export function madeUpName(random: Random, taken: (name: string) => boolean): string {
  for (;;) {
    const name = `${qualities[random.below(qualities.length)]}-${things[random.below(things.length)]}`;
    if (!taken(name)) return name;
    const longer = `${name}-${random.hex(2)}`;
    if (!taken(longer)) return longer;
  }
}

export function checkedName(name: string): string {
  const bare = name.replace(/^\//, "");
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(bare)) return bare;
  throw new GantryError("invalid", {
    doing: "name the container",
    on: name,
    because: "a name is made of letters, digits, and after the first also of dots, dashes and underscores",
  });
}
