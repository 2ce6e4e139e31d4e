// How the demo talks: numbered steps, what was said and answered under them; colours on a terminal only.
import { styleText } from 'node:util'

const WIDTH = 100
const INDENT = '     '

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR
const style = (format, text) => (coloured ? styleText(format, text) : text)

let number = 0
let current = ''

/** The step that is under way, for the message of a failure. */
export const currentStep = () => (number === 0 ? 'the start' : `step ${number} (${current})`)

export function title(text, explanation) {
  console.log(`\n${style('bold', text)}\n${style('dim', explanation)}`)
}

export function step(text) {
  number += 1
  current = text
  console.log(`\n${style(['bold', 'cyan'], String(number).padStart(2))}   ${style('bold', text)}`)
}

/** What the demo says to somebody. */
export const asked = (text) => lines('→', text, (line) => style('yellow', line))

/** What came back. */
export const answered = (text) => lines('←', text, (line) => line)

export const checked = (text) => lines('✓', text, (line) => style('green', line))

export const note = (text) => lines(' ', text, (line) => style('dim', line))

export function failure(text) {
  console.error(`\n${style(['bold', 'red'], 'The demo failed')} in ${currentStep()}:\n${text}`)
}

function lines(mark, text, paint) {
  const [first = '', ...rest] = text.split('\n').flatMap(folded)
  console.log(`${INDENT.slice(2)}${paint(`${mark} ${first}`)}`)
  for (const line of rest) console.log(`${INDENT}${paint(line)}`)
}

/** One line as several that fit on a terminal; what was indented stays so. */
function folded(line) {
  const indent = /^ */.exec(line)[0]
  const parts = []
  let left = line
  while (left.length > WIDTH) {
    const gap = left.lastIndexOf(' ', WIDTH)
    const cut = gap > indent.length ? gap : WIDTH
    parts.push(left.slice(0, cut))
    left = `${indent}  ${left.slice(cut).trimStart()}`
  }
  return [...parts, left]
}
