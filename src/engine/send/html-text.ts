// The plain text of a mail that was written as HTML: what programs show that show no HTML. RFC 2046 §5.1.4.
import { convert, type FormatCallback, type HtmlToTextOptions } from 'html-to-text'

/** A picture is what it says it is; its address says nothing to a reader. */
const alternative: FormatCallback = ({ attribs }, _walk, builder) =>
  builder.addInline(attribs?.alt ?? '')

const CONVERTING: HtmlToTextOptions = {
  wordwrap: false,
  formatters: { alternative },
  selectors: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
      selector,
      options: { uppercase: false },
    })),
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true } },
    { selector: 'img', format: 'alternative' },
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
  const all = tables === 'data' ? [...selectors, IN_COLUMNS] : selectors
  return convert(html, { ...CONVERTING, selectors: all }).trimEnd()
}
