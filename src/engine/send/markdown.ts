// Markdown of a caller as the HTML of a mail. CommonMark with tables, strike-through and links of bare addresses.
import MarkdownIt from 'markdown-it'

/**
 * Line breaks stay where they are, as in a letter. HTML inside is shown as it is written, never carried out, and links
 * lead to the web, to mail and to pictures of the mail (`cid:`): the library leaves `javascript:` and its like as text.
 */
export function htmlOfMarkdown(text: string): string {
  const markdown = new MarkdownIt({ html: false, breaks: true, linkify: true })
  // "main.rs" is a file, not a site in Serbia.
  markdown.linkify.set({ fuzzyLink: false })
  return markdown.render(text)
}
