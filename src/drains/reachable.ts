// Which addresses a webhook may go to: the public ones, and as much more as WEBHOOK_ALLOW_PRIVATE opens.
import { BlockList, isIP } from 'node:net'

export interface Reach {
  /** WEBHOOK_ALLOW_PRIVATE: everything, nothing but public addresses, or what `listensOnLoopback` decides. */
  allowPrivate: 'true' | 'false' | 'auto'
  /** With `auto`: whoever can reach a server that listens on loopback alone is on this machine anyway. */
  listensOnLoopback: boolean
}

const blocklist = (subnets: string[]) => {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

const LOOPBACK = blocklist(['127.0.0.0/8', '::1/128'])

const UNSPECIFIED = blocklist(['0.0.0.0/8', '::/128'])

/** What the IANA special-purpose registries (RFC 6890) do not call globally reachable, with multicast. */
const SPECIAL_IPV4 = blocklist([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10', // CGNAT, RFC 6598
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and where clouds serve metadata
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24', // 6to4 relays, RFC 7526
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32', // Azure serves metadata to its machines from this public address
])

/** RFC 4291 §2.4: all that is global unicast today. NAT64 (64:ff9b::/96) and mapped addresses lie outside. */
const GLOBAL_IPV6 = blocklist(['2000::/3'])
const SPECIAL_IPV6 = blocklist([
  '2001::/23', // Teredo, ORCHID, benchmarking: RFC 2928
  '2001:db8::/32',
  '2002::/16', // 6to4 carries an IPv4 address inside, RFC 3056
  '2620:4f:8000::/48',
  '3fff::/20', // documentation, RFC 9637
])

/** Whether this address may be dialled; the reason when it may not. `address` is an IP address without brackets. */
export function reachable(
  address: string,
  reach: Reach,
): { ok: true } | { ok: false; reason: string } {
  if (reach.allowPrivate === 'true' || isPublic(address)) return { ok: true }
  if (reach.allowPrivate === 'auto' && reach.listensOnLoopback && isLoopback(address)) {
    return { ok: true }
  }
  const kind = isLoopback(address) ? 'a loopback' : 'a private or special'
  return {
    ok: false,
    reason: `${address} is ${kind} address; WEBHOOK_ALLOW_PRIVATE=true would allow it`,
  }
}

/** Loopback, and the addresses that mean no host at all: RFC 1122 §3.2.1.3, RFC 4291 §2.5.2. */
export const isThisMachine = (address: string) =>
  isLoopback(address) || UNSPECIFIED.check(address, family(address))

// A BlockList compares an IPv4-mapped address (::ffff:7f00:1) with the rules for IPv4.
const isLoopback = (address: string) => LOOPBACK.check(address, family(address))

function isPublic(address: string): boolean {
  if (family(address) === 'ipv4') return !SPECIAL_IPV4.check(address, 'ipv4')
  return GLOBAL_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6')
}

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
