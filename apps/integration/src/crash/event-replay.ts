/** Returns `epoch:seqNo` of the first `count` events that a new client of `/events` receives. */
export async function replayedIds(
  url: string,
  lastEventId: string,
  count: number,
): Promise<readonly string[]> {
  const stop = new AbortController();
  const response = await fetch(`${url}/events`, {
    headers: { "last-event-id": lastEventId },
    signal: stop.signal,
  });
  const ids: string[] = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const frames = text.split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) {
      const id = /^id: (.*)$/m.exec(frame)?.[1];
      if (id !== undefined) ids.push(id);
    }
    if (ids.length >= count) break;
  }
  stop.abort();
  return ids.slice(0, count);
}
