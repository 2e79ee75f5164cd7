import type { TierStep } from "../script/tier-script.ts";
import type { TierWorld } from "./tier-world.ts";

/** Carries out a step. `isOver` ends waits early. */
export async function takeTierStep(step: TierStep, world: TierWorld, isOver: () => boolean): Promise<void> {
  switch (step.do) {
    case "wait":
      return world.advance(step.ms, isOver);
    case "change":
      world.truth.change(step.nodes);
      for (const daemon of world.daemons.values()) daemon.publish();
      return;
    case "backend":
      return world.daemon(step.at).setBackend(step.is);
    case "backends":
      for (const daemon of world.daemons.values()) daemon.setBackend(step.is);
      return;
    case "link":
      return world.link(step.from, step.to).set(step.is);
    case "cut":
      return world.link(step.from, step.to).cut(step.how);
    case "corrupt":
      return corruptNext(world, step.at);
    case "putAside":
      return world.daemon(step.at).putAside();
    case "restart": {
      const daemon = world.daemon(step.at);
      daemon.kill();
      await world.advance(step.downMs, isOver);
      return daemon.start(step.kept);
    }
    case "restartFollower": {
      const follower = world.followers.get(step.at);
      follower?.stop();
      return follower?.start();
    }
    case "block":
      world.daemon(step.at).hub?.block(step.node);
      return;
    case "restore":
      world.daemon(step.at).hub?.restore(step.node);
      return;
  }
}

/** The next change that adds or replaces a member lacks one of them, on one connection. */
function corruptNext(world: TierWorld, at: "a" | "b"): void {
  const { server } = world.daemon(at);
  if (server === undefined) return;
  server.tamper = (frame) => {
    const changed = frame.replace(/"(added|updated)":\[\{[^{}]*(?:\{\}[^{}]*)?\},?/, '"$1":[');
    if (!frame.includes("\nevent: snapshot\n") || changed === frame) return frame;
    server.tamper = (other) => other;
    return changed;
  };
}
