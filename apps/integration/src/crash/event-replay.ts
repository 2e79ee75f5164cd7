/** The `epoch:seqNo` of the events that a client of `/events` is sent first, as many as asked for. */
export async function replayedIds(
  url: string,
  lastEventId: string,
  count: number,
): Promise<readonly string[]> {
  const stop = new AbortController();
  const answer = await fetch(`${url}/events`, {
    headers: { "last-event-id": lastEventId },
    signal: stop.signal,
  });
  const ids: string[] = [];
  let text = "";
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
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
