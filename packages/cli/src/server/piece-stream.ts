/** A body made piece by piece as the client takes it; `onEnd` is called once, when it ended or the client left. */
export function toBody(
  pieces: AsyncIterator<string>,
  onEnd: () => void = () => {},
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await pieces.next();
          if (piece.done !== true) return controller.enqueue(encoder.encode(piece.value));
          onEnd();
          controller.close();
        } catch (error) {
          onEnd();
          controller.error(error);
        }
      },
      async cancel() {
        onEnd();
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
