// Writes the lines of a text: white space as HTML collapses it, paragraphs, quotes, cells.

/** What the HTML says of a line that its words need not say. */
export type Mark = 'attribution' | 'header' | 'signature'

export interface Line {
  text: string
  /** How many quotes it stands in. */
  quote: number
  mark: Mark | null
}

export class LineWriter {
  readonly lines: Line[] = []
  /** Quotes, marks and indentation of what is written next. */
  quote = 0
  mark: Mark | null = null
  indent = ''
  /** Where a row of a table is one line: paragraphs inside it do not end the line. */
  flat = false
  preformatted = false
  /** What a link says, while one is open. */
  linkText: string | null = null

  #line = ''
  #space = false
  #blank = false
  #bullet = ''
  #separators = 0

  /** Text as it stands in the HTML. */
  write(text: string): void {
    if (this.preformatted) {
      this.#writePreformatted(text)
      return
    }
    const words = text.replace(/[\s\u00A0]+/g, ' ')
    if (words.startsWith(' ')) this.#space = true
    const trimmed = words.trim()
    if (trimmed === '') return
    this.#put(trimmed)
    this.#space = words.endsWith(' ')
  }

  /** Goes right after what was written, as one piece. */
  append(text: string): void {
    this.#put(text)
  }

  /** Ends the line; an empty line may follow itself. */
  breakLine(): void {
    if (this.flat) this.#space = true
    else if (this.#line === '') this.#blank = this.lines.length > 0
    else this.#end()
  }

  /** The beginning or the end of a block: `apart` leaves an empty line. */
  block(apart: boolean): void {
    if (this.flat) {
      this.#space = true
      return
    }
    if (this.#line !== '') this.#end()
    if (apart) this.#blank = true
    this.#space = false
  }

  bullet(mark: string): void {
    this.#bullet = mark
  }

  /** A cell after another one of the same line. Empty ones are kept where `always`. */
  cell(always: boolean): void {
    this.#separators = always ? this.#separators + 1 : Math.min(1, this.#separators + 1)
    this.#space = false
  }

  endRow(): void {
    this.#separators = 0
  }

  finish(): Line[] {
    this.flat = false
    this.block(false)
    return this.lines
  }

  #put(text: string): void {
    if (this.linkText !== null) this.linkText += this.#space ? ` ${text}` : text
    if (this.#line === '') {
      this.#line = this.#open() + text
    } else if (this.#separators > 0) {
      this.#line += `${' |'.repeat(this.#separators)} ${text}`
    } else {
      this.#line += this.#space ? ` ${text}` : text
    }
    this.#separators = 0
    this.#space = false
  }

  /** What precedes the first word of a line. */
  #open(): string {
    const last = this.lines.at(-1)
    if (this.#blank && last && last.text !== '') {
      const quote = Math.min(last.quote, this.quote)
      this.lines.push({ text: '', quote, mark: last.mark === this.mark ? this.mark : null })
    }
    this.#blank = false
    const bullet = this.#bullet
    this.#bullet = ''
    return bullet === '' ? this.indent : this.indent.slice(bullet.length) + bullet
  }

  #end(): void {
    this.lines.push({ text: this.#line.trimEnd(), quote: this.quote, mark: this.mark })
    if (this.mark === 'header') this.mark = null
    this.#line = ''
    this.#space = false
  }

  #writePreformatted(text: string): void {
    const rows = text.replaceAll('\u00A0', ' ').split('\n')
    rows.forEach((row, position) => {
      if (position > 0) this.breakLine()
      if (row.trim() !== '') this.#put(row)
    })
  }
}
