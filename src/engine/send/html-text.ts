// The plain text of a mail that was written as HTML: what programs show that show no HTML. RFC 2046 §5.1.4.
import { convert, type FormatCallback, type HtmlToTextOptions } from 'html-to-text'

/** A picture is what it says it is; its address says nothing to a reader. */
const alternative: FormatCallback = ({ attribs }, _walk, builder) =>
  builder.addInline(attribs?.alt ?? '')

/** Where a table only lays out a page, a row is a line and cells are words apart. */
const cell: FormatCallback = ({ children }, walk, builder) => {
  walk(children, builder)
  builder.addInline(' ')
}
const LINE = { leadingLineBreaks: 1, trailingLineBreaks: 1 }

/** Far more than mails have. What is deeper or longer is an ellipsis here and stands in the HTML. */
const LIMITS = { maxDepth: 100, maxChildNodes: 20_000, ellipsis: '…' }
/** Columns are measured over the whole table: 30,000 rows take seconds. In letters of HTML. */
const MAX_COLUMNS = 256 * 1024

const CONVERTING: HtmlToTextOptions = {
  wordwrap: false,
  limits: LIMITS,
  formatters: { alternative, cell },
  selectors: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
      selector,
      options: { uppercase: false },
    })),
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true } },
    { selector: 'img', format: 'alternative' },
    { selector: 'tr', format: 'block', options: LINE },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
  ],
}
const IN_COLUMNS = {
  selector: 'table',
  format: 'dataTable',
  options: { uppercaseHeaderCells: false },
}

/**
 * Its words, and links with their addresses behind them.
 * @param tables `data`: cells stand in columns; `layout`: a page was laid out with them, so they follow each other
 */
export function textOfHtml(html: string, tables: 'data' | 'layout'): string {
  const { selectors = [] } = CONVERTING
  const inColumns = tables === 'data' && html.length <= MAX_COLUMNS
  const all = inColumns ? [...selectors, IN_COLUMNS] : selectors
  return convert(html, { ...CONVERTING, selectors: all }).trimEnd()
}
