// What about a sender should make a reader careful, whatever SPF and DKIM say: a sender may be proven and still deceive.
import libmime from 'libmime'
import { toULabels } from '../../domain-name.ts'
import { flatMailboxes } from '../mime/mailboxes.js'
import { asciiDomain, organizationalDomain } from './dmarc.ts'
import { isConfusableDomain, mixesScripts } from './scripts.ts'

/** One field of a header as mailparser's `headerLines` has it: the name in lower case, the whole field. */
export interface HeaderLine {
  key: string
  line: string
}

interface Person {
  name: string
  address: string
}

interface Sender {
  /** The From fields. RFC 5322 §3.6 has exactly one. */
  fields: number
  from: Person[]
  replyTo: Person[]
}

/** Every flag with its rule, in the order in which flags are given. */
const FLAGS = {
  /** There is no From with an address: nobody says who wrote this. */
  no_sender: ({ from }: Sender) => from.length === 0,
  /** Several From fields: programs differ in which of them they show. */
  multiple_from: ({ fields }: Sender) => fields > 1,
  /** Several mailboxes in From: only one of them may be proven. */
  several_senders: ({ from }: Sender) => distinct(from.map(({ address }) => address)).length > 1,
  /** The name holds an address that is not the sender's: many programs show the name alone. */
  address_in_name: ({ from }: Sender) => from.some(namesAnotherAddress),
  /** A word of the name or a label of the domain mixes scripts, or passes for Latin. */
  mixed_script: ({ from }: Sender) =>
    from.some(
      ({ name, address }) => mixesScripts(name) || isConfusableDomain(toULabels(domainOf(address))),
    ),
  /** The name or the address holds characters that nobody sees, or that turn the reading direction. */
  hidden_characters: ({ from }: Sender) =>
    from.some(({ name, address }) => HIDDEN.test(name) || HIDDEN.test(address)),
  /** An answer would go to another organization than the one the mail is from. */
  reply_to_other_domain: ({ from, replyTo }: Sender) => {
    const own = from.map(organizationOf)
    return own.length > 0 && replyTo.some((person) => !own.includes(organizationOf(person)))
  },
} satisfies Record<string, (sender: Sender) => boolean>

export type SenderFlag = keyof typeof FLAGS

/** The flags of a mail by its header alone; empty where nothing is odd. It does not throw. */
export function senderFlags(lines: readonly HeaderLine[]): SenderFlag[] {
  const from = lines.filter(({ key }) => key === 'from')
  const sender: Sender = {
    fields: from.length,
    from: from.flatMap(peopleIn),
    replyTo: lines.filter(({ key }) => key === 'reply-to').flatMap(peopleIn),
  }
  return (Object.keys(FLAGS) as SenderFlag[]).filter((flag) => FLAGS[flag](sender))
}

/**
 * Characters without a shape and those that turn the reading direction (UAX #44, UAX #9). Joiners, emoji variants and
 * the marks of direction belong into names of many languages.
 */
const HIDDEN =
  /(?![\u200c-\u200f\u061c]|\p{Variation_Selector})[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u

/** Longer than a field with the 50 mailboxes that anybody writes from; beyond it nobody reads either. */
const MAX_FIELD = 16_384
const ADDRESS = /[^\s<>()[\]"',;:@]{1,64}@[^\s<>()[\]"',;:@]{1,255}/g

function peopleIn({ line }: HeaderLine): Person[] {
  const value = line.slice(line.indexOf(':') + 1, MAX_FIELD).replace(/\r?\n/g, '')
  return flatMailboxes(value.trim())
    .map(({ name, address }) => ({ name: decoded(name), address: address.trim().toLowerCase() }))
    .filter(({ address }) => address.includes('@'))
}

/** RFC 2047 §5: encoded words in a name; what cannot be decoded stays as it is. */
function decoded(name: string): string {
  try {
    return libmime.decodeWords(name)
  } catch {
    return name
  }
}

/** A fullwidth ＠ is read as one too. */
function namesAnotherAddress({ name, address }: Person): boolean {
  const named = name.normalize('NFKC').toLowerCase().match(ADDRESS) ?? []
  return named.some((one) => one.replace(/\.$/, '') !== address)
}

const domainOf = (address: string) => asciiDomain(address.slice(address.lastIndexOf('@') + 1))
const organizationOf = ({ address }: Person) => organizationalDomain(domainOf(address))
const distinct = (values: readonly string[]) => [...new Set(values)]
