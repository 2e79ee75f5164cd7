import { IncomingMessage } from "node:http";

/**
 * A request that stops the parser once its connection has been destroyed. Otherwise Node continues to parse what it has
 * already read, up to 64 KiB, and creates objects for each of some 1,500 pipelined requests, 20 ms in total, although
 * none of them will be handled. The parser does stop at an upgrade request, so on a destroyed connection every request
 * looks like one.
 */
export class BoundedRequest extends IncomingMessage {
  #upgrade: unknown = null;

  get upgrade(): unknown {
    return this.socket.destroyed || this.#upgrade;
  }

  set upgrade(value: unknown) {
    // The constructor of the base class sets this property before the private field exists.
    if (#upgrade in this) this.#upgrade = value;
  }
}
