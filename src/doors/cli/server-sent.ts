// Server-sent events, as far as MCP uses them: the data of each event. WHATWG HTML §9.2.6.

const EVENT_END = /\r\n\r\n|\n\n|\r\r/

/** The data of each event of a stream, as it comes. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = EVENT_END.exec(text); end !== null; end = EVENT_END.exec(text)) {
      const data = dataOf(text.slice(0, end.index))
      text = text.slice(end.index + end[0].length)
      if (data !== '') yield data
    }
  }
}

function dataOf(event: string): string {
  return event
    .split(/\r\n|\n|\r/)
    .flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? [])
    .join('\n')
}
