import { describe, expect, it } from 'vitest'
import type { MessageRow } from '../../../src/engine/messages/message.ts'
import { begunWith, newsOf } from '../../../src/engine/messages/news.ts'
import type { NewMessage } from '../../../src/engine/messages/store.ts'
import type { ThreadRow } from '../../../src/engine/messages/thread.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 8, minute))
type More = Partial<Omit<NewMessage, 'row'>> & { row?: Partial<MessageRow> }

const message = (id: string, minute: number, { row, ...more }: More = {}) =>
  ({
    row: {
      org_id: 'org_1',
      inbox_id: 'inb_1',
      thread_id: 'thr_1',
      id,
      direction: 'inbound',
      subject: `subject of ${id}`,
      created_at: at(minute),
      ...row,
    },
    participants: [{ email: `${id}@example.com` }],
    preview: `preview of ${id}`,
    waiting_on: 'us',
    is_news: true,
    ...more,
  }) as NewMessage

describe('what messages tell their threads', () => {
  it('folds to one row a thread: counted, the newest shown, the earliest named', () => {
    const ours: More = { row: { direction: 'outbound' }, waiting_on: 'them', is_news: false }
    const [first, second, ...more] = newsOf([
      message('msg_b', 2),
      message('msg_c', 3, ours),
      message('msg_x', 1, { row: { thread_id: 'thr_2' } }),
      message('msg_a', 1, { participants: [{ email: 'MSG_B@example.com', name: 'B' }] }),
    ])
    expect(more).toEqual([])
    expect(second?.thread_id).toBe('thr_2')
    expect(first).toMatchObject({
      thread_id: 'thr_1',
      added: 3,
      inbound_at: at(2),
      outbound: true,
      is_news: true,
      earliest_at: at(1),
      earliest_subject: 'subject of msg_a',
      newest_at: at(3),
      newest_id: 'msg_c',
      preview: 'preview of msg_c',
      waiting_on: 'them',
      participants: [{ email: 'msg_b@example.com' }, { email: 'msg_c@example.com' }],
    })
  })

  it('of one moment the greater id is the newer', () => {
    expect(newsOf([message('msg_b', 1), message('msg_a', 1)])).toMatchObject([
      { newest_id: 'msg_b', earliest_subject: 'subject of msg_a' },
    ])
  })

  it('a thread that begins with them is written as it will be', () => {
    const [news] = newsOf([message('msg_a', 1), message('msg_b', 2, { is_news: false })])
    const empty = {
      id: 'thr_1',
      message_count: 0,
      is_read: true,
      is_archived: false,
    } as unknown as ThreadRow
    expect(news && begunWith(empty, news)).toMatchObject({
      id: 'thr_1',
      message_count: 2,
      is_read: false,
      is_archived: false,
      has_outbound: false,
      subject: 'subject of msg_a',
      last_message_id: 'msg_b',
      created_at: at(1),
      latest_inbound_at: at(2),
    })
  })
})
