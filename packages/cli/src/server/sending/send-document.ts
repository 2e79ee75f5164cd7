import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { SharedDocument } from "./shared-document.ts";
import { GZIP_HEADER, toGzipTrailer } from "./gzip.ts";
import type { ResponseWriter } from "./response-writer.ts";

export interface SendDocumentOptions {
  readonly outgoing: ServerResponse;
  readonly writer: ResponseWriter;
  readonly headers: OutgoingHttpHeaders;
  /** True: the document is sent as gzip, and `headers` say so. */
  readonly isDeflated: boolean;
}

/** Sends a whole response with the shared bytes of a document. */
export async function sendDocument(document: SharedDocument, options: SendDocumentOptions): Promise<void> {
  const { outgoing, writer, headers, isDeflated } = options;
  const bodies = isDeflated ? toGzip(document) : document.parts.map(({ plain }) => plain.body);
  const length = bodies.reduce((sum, { byteLength }) => sum + byteLength, 0);
  outgoing.writeHead(200, { ...headers, "content-length": length });
  for (const body of bodies) if (!(await writer.write(body))) return;
}

function toGzip({ parts }: SharedDocument): readonly Uint8Array[] {
  let crc = 0;
  let size = 0;
  const bodies: Uint8Array[] = [GZIP_HEADER];
  for (const part of parts) {
    bodies.push(part.deflated.body);
    crc = part.crcAfter(crc);
    size += part.plain.body.byteLength;
  }
  return [...bodies, toGzipTrailer(crc, size)];
}
