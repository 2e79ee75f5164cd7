import { IncomingMessage } from "node:http";

/**
 * A request that stops the parser once its connection has been destroyed. Node goes on to parse what it has already read, up
 * to 64 KiB, and makes objects for each of some 1,500 pipelined requests, 20 ms in all, although none of them will be
 * handled. It does stop at a request to upgrade the connection, so on a destroyed one every request looks like that.
 */
export class BoundedRequest extends IncomingMessage {
  #upgrade: unknown = null;

  get upgrade(): unknown {
    return this.socket.destroyed || this.#upgrade;
  }

  set upgrade(value: unknown) {
    // The constructor of the base class sets it before the field exists.
    if (#upgrade in this) this.#upgrade = value;
  }
}
